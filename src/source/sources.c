#include "heaptop/source.h"

#include <stddef.h>

#define SOURCE(name) extern const struct source_ops source_##name;
#include "source/sources.def"
#undef SOURCE

const struct source_ops *const sources[] = {
#define SOURCE(name) &source_##name,
#include "source/sources.def"
#undef SOURCE
    NULL,
};
