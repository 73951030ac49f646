#include "attach/ways.h"

static enum attach_way chosen;

void attach_choose_way(enum attach_way way)
{
    chosen = way;
}

enum attach_way attach_way(void)
{
    return chosen;
}
