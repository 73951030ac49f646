#include "model/inquiry.h"

#include <stdlib.h>
#include <string.h>

bool inquiry_is_same(const struct inquiry *one, const struct inquiry *other)
{
    if (!one->topic || !other->topic)
        return one->topic == other->topic;
    return !strcmp(one->topic, other->topic) && one->kind == other->kind &&
           one->address == other->address && one->mark == other->mark &&
           one->shows_values == other->shows_values;
}

void answer_free(struct answer *answer)
{
    if (!answer)
        return;
    if (answer->release)
        answer->release(answer);
    free(answer);
}
