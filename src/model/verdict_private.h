/* verdict_private.h - what the files of the verdict share: a rule, and what it finds. */
#ifndef HEAPTOP_MODEL_VERDICT_PRIVATE_H
#define HEAPTOP_MODEL_VERDICT_PRIVATE_H

#include "heaptop/units.h"
#include "model/evidence.h"
#include "model/verdict.h"

#define MB (INT64_C(1) << 20)

enum judgement {
    JUDGED_NO = 0,
    JUDGED_YES,
    JUDGED_UNKNOWN, /* a counter is missing */
};

/* A verdict and what decides where it stands. */
struct finding {
    struct verdict verdict;
    bool is_now; /* it goes on now: it stands before what is there already */
};

struct rule {
    const char *id;
    const char *needs;  /* the counters, as they are called in a gap */
    const char *remedy; /* unless the judge sets another one */
    const char
        *refines; /* the rule that says the same less exactly, or NULL: stands first */
    enum judgement (*judge)(const struct evidence *evidence, struct finding *finding);
};

extern const struct rule verdict_rules[];
extern const size_t n_verdict_rules;

/* Adds what helps in the long run, where its condition holds. */
void verdict_advise(const struct evidence *evidence, struct verdict *verdict);

/* ---- for judges; in verdict.c ---- */

/* "12.4M", a duration, in the buffer. */
char *say_bytes(char buffer[UNITS_MAX], int64_t value);
char *say_elapsed(char buffer[UNITS_MAX], const struct evidence *evidence);
void verdict_count(struct verdict *verdict, const char *name, enum history_unit unit,
                   struct reading value);
/* The bytes that a fit says, and its times. */
void verdict_take_fit(struct verdict *verdict, const struct evidence *evidence,
                      const struct fit *fit, int64_t bytes);
/* At least 60 per cent of what RES grew. The bytes came in the time of the fit. */
bool explains(const struct evidence *evidence, const struct fit *fit, int64_t bytes);
/* Of what RES grew, in per cent; 0 without growth. */
int64_t share_of_growth(const struct evidence *evidence, const struct fit *fit,
                        int64_t bytes);
bool is_collector_off(const struct evidence *evidence);
/* Of all objects' growth, what is garbage, by the last dry run: 0 .. 1; < 0: not known.
 */
double garbage_share(const struct evidence *evidence);

enum judgement judge_swap(const struct evidence *evidence, struct finding *finding);
enum judgement judge_unsharing(const struct evidence *evidence, struct finding *finding);
enum judgement judge_files(const struct evidence *evidence, struct finding *finding);
enum judgement judge_garbage(const struct evidence *evidence, struct finding *finding);
enum judgement judge_large(const struct evidence *evidence, struct finding *finding);
enum judgement judge_objects(const struct evidence *evidence, struct finding *finding);
enum judgement judge_classes(const struct evidence *evidence, struct finding *finding);
enum judgement judge_tasks(const struct evidence *evidence, struct finding *finding);
enum judgement judge_malloc_free(const struct evidence *evidence,
                                 struct finding *finding);
enum judgement judge_malloc_arenas(const struct evidence *evidence,
                                   struct finding *finding);
enum judgement judge_threshold(const struct evidence *evidence, struct finding *finding);
enum judgement judge_fragmentation(const struct evidence *evidence,
                                   struct finding *finding);
enum judgement judge_hoard(const struct evidence *evidence, struct finding *finding);
enum judgement judge_free_lists(const struct evidence *evidence, struct finding *finding);
enum judgement judge_native(const struct evidence *evidence, struct finding *finding);
enum judgement judge_native_of_garbage(const struct evidence *evidence,
                                       struct finding *finding);
enum judgement judge_saw_tooth(const struct evidence *evidence, struct finding *finding);

#endif
