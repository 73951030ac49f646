#include "attach/faultpoint.h"

#include <stddef.h>

static const struct {
    const char *name, *when;
} points[] = {
#define FAULTPOINT(name, when) {#name, when},
#include "attach/faultpoints.def"
#undef FAULTPOINT
};

void (*faultpoint_hook)(enum faultpoint point);

const char *faultpoint_name(enum faultpoint point)
{
    return points[point].name;
}

const char *faultpoint_when(enum faultpoint point)
{
    return points[point].when;
}

void faultpoint_reach(enum faultpoint point)
{
    if (faultpoint_hook)
        faultpoint_hook(point);
}
