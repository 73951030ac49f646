#include "publish/board.h"

#include "guard/helper_message.h"

bool board_next(const struct board *board, struct board_notice *notice)
{
    uint64_t left = BOARD_BYTES;
    uint32_t unused;

    if (helper_receive(board->socket, &unused, notice, sizeof(*notice), NULL) !=
        (long)sizeof(*notice))
        return false;
    for (size_t i = 0; i < EXPOSITION_FORMATS; i++) {
        if (notice->lengths[i] > left)
            return false;
        left -= notice->lengths[i];
    }
    return true;
}

const char *board_text(const struct board *board, const struct board_notice *notice,
                       enum exposition_format format)
{
    return board->bytes +
           (format == EXPOSITION_OPENMETRICS ? notice->lengths[EXPOSITION_TEXT] : 0);
}

void board_answer(const struct board *board, const struct err *err)
{
    struct board_answer answer = {.is_done = err->code == ERR_NONE, .err = *err};

    helper_send(board->socket, 0, &answer, sizeof(answer), NULL);
}
