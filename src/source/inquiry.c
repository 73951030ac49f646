#include "source/inquiry.h"

#include <stddef.h>
#include <string.h>

#define INQUIRY(name) extern const struct inquiry_ops inquiry_##name;
#include "source/inquiries.def"
#undef INQUIRY

static const struct inquiry_ops *const inquiries[] = {
#define INQUIRY(name) &inquiry_##name,
#include "source/inquiries.def"
#undef INQUIRY
};

const struct inquiry_ops *inquiry_find(const char *topic)
{
    for (size_t i = 0; topic && i < sizeof(inquiries) / sizeof(inquiries[0]); i++)
        if (!strcmp(inquiries[i]->name, topic))
            return inquiries[i];
    return NULL;
}
