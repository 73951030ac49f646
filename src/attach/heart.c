#include "attach/heart.h"

#include <poll.h>
#include <stddef.h>

#include "agent/protocol.h"
#include "attach/channel.h"

#define BEAT_MS 250

void heart_beat(const struct target *target, uint64_t address, int socket)
{
    struct pollfd socket_end = {.fd = socket, .events = POLLIN};
    struct channel channel;
    uint32_t beat = 0;

    channel_open_private(&channel, target, NULL, address);
    do {
        beat++;
        if (!channel_put(&channel, offsetof(struct agent_page, client_beat), &beat,
                         sizeof(beat)))
            return;
    } while (poll(&socket_end, 1, BEAT_MS) <= 0);
}
