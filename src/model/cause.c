#include "model/cause.h"

#include <stdio.h>
#include <string.h>

#include "model/kind.h"
#include "model/kind_detail.h"
#include "model/verdict.h"

#define AGAIN_NS     INT64_C(60000000000)
#define WALK_MOST_NS INT64_C(2000000000) /* the question takes a few such walks */
#define HOLDERS_FEW  3 /* so many are asked about one by one, more as a kind */

static void ask(struct cause *cause, const char *topic, const struct kind *kind,
                uint64_t address)
{
    cause->next = (struct inquiry){.topic = topic, .kind = kind, .address = address};
}

/* A container that becomes larger is looked for by its size, the others by their kind. */
static void begin(struct cause *cause, const struct verdict *verdict, int64_t now_ns)
{
    cause->kind = verdict->kind;
    cause->begun_mono_ns = now_ns;
    cause->n_steps = 0;
    cause->first[0] = cause->last[0] = '\0';
    ask(cause, verdict->is_of_few ? INQUIRY_KIND : INQUIRY_HOLDERS, verdict->kind, 0);
}

static void look_whether_to_begin(struct history *history)
{
    const struct snapshot *now = history_latest(history);
    struct cause *cause = history_cause(history);
    struct verdicts verdicts;

    if (!now || cause->judged_seq == now->seq)
        return;
    cause->judged_seq = now->seq;
    if (!now->objects || now->objects->walk.wall_ns > WALK_MOST_NS ||
        (cause->kind && now->mono_ns - cause->begun_mono_ns < AGAIN_NS) ||
        !verdict_judge(history, &verdicts))
        return;
    if (verdicts.items[0].kind && verdicts.items[0].kind != cause->kind)
        begin(cause, &verdicts.items[0], now->mono_ns);
}

bool cause_wants(struct history *history, struct inquiry *inquiry)
{
    struct cause *cause = history_cause(history);

    if (!cause->next.topic)
        look_whether_to_begin(history);
    *inquiry = cause->next;
    return inquiry->topic != NULL;
}

/* ---- answers ---- */

/* Objects that hold each other, as in a list of linked nodes, lead nowhere. */
static const struct holder_row *choose(const struct holders *holders,
                                       const struct kind *asked)
{
    uint64_t of_their_own = 0;

    for (size_t i = 0; i < holders->n_rows; i++) {
        const struct holder_row *row = &holders->rows[i];

        if (row->kind != asked)
            return (row->references + of_their_own) * 2 >= holders->objects ? row : NULL;
        of_their_own += row->references;
    }
    return NULL;
}

/* As the walk's kinds are called. */
static const struct kind *kind_to_ask(const struct kind *kind)
{
    static const char dict[] = "dict (no owner)";

    return strcmp(kind->name, "dict") != 0 ? kind : kind_intern(dict, sizeof(dict) - 1);
}

static void take_holders(struct cause *cause, const struct holders *holders)
{
    const struct holder_row *row = choose(holders, holders->answer.inquiry.kind);

    if (!row)
        return;
    snprintf(cause->last, sizeof(cause->last), "%s", row->label);
    if (!cause->first[0])
        snprintf(cause->first, sizeof(cause->first), "%s", row->label);
    if (row->is_root || ++cause->n_steps == CAUSE_STEPS)
        return;
    if (row->holders > HOLDERS_FEW && row->kind)
        ask(cause, INQUIRY_HOLDERS, kind_to_ask(row->kind), 0);
    else
        ask(cause, INQUIRY_HOLDERS, NULL, row->address);
}

bool cause_take(struct history *history, const struct inquiry *asked,
                const struct answer *answer)
{
    struct cause *cause = history_cause(history);
    const struct kind_detail *detail;

    if (!cause->next.topic || !inquiry_is_same(&cause->next, asked))
        return false;
    cause->next.topic = NULL;
    if (!answer)
        return true;
    if (!strcmp(asked->topic, INQUIRY_HOLDERS))
        take_holders(cause, (const struct holders *)answer);
    else if ((detail = kind_detail_of(answer)) && detail->n_instances)
        ask(cause, INQUIRY_HOLDERS, NULL, detail->instances[0].address);
    return true;
}

char *cause_words(char words[CAUSE_WORDS_MAX], const struct history *history,
                  const struct kind *kind)
{
    const struct cause *cause = history_cause_found(history);

    words[0] = '\0';
    if (cause->kind != kind || !cause->last[0])
        return words;
    if (!strcmp(cause->first, cause->last))
        snprintf(words, CAUSE_WORDS_MAX, "; held by %.150s", cause->last);
    else
        snprintf(words, CAUSE_WORDS_MAX, "; held by %.60s, and that by %.110s",
                 cause->first, cause->last);
    return words;
}
