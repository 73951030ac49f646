#include "recording/recording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "recording/folder.h"
#include "recording/recording_file.h"
#include "util/plural.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

/* Started at the same time, as clocks are set: the same process. */
#define SAME_START_NS (INT64_C(60) * 1000000000)

struct part {
    struct recording_file *file;
    size_t first;   /* of all samples, its first one */
    int64_t before; /* the number of the last sample of the file before */
};

struct recording {
    struct part parts[RECORDING_FILES_MAX]; /* at least one, each with a sample */
    size_t n_parts;
    char *folder; /* NULL: it is one file */
    struct folder_file newest;
    int64_t start_wall_ns; /* of the process, in the newest file; 0 = unknown */
    size_t n_unread;       /* files that are damaged as a whole */
    size_t n_older;        /* files that were not opened */
    size_t n_others;       /* files of other processes */
    struct recorded_mark *marks;
    size_t n_marks;
};

static const struct part *last_part(const struct recording *recording)
{
    return &recording->parts[recording->n_parts - 1];
}

static void add_part(struct recording *recording, struct recording_file *file)
{
    struct part *part = &recording->parts[recording->n_parts];

    *part = (struct part){.file = file};
    if (recording->n_parts) {
        const struct part *before = part - 1;

        part->first = before->first + before->file->n_entries;
        part->before = before->before + before->file->last.sample;
    }
    recording->n_parts++;
}

size_t recording_count(const struct recording *recording)
{
    const struct part *last = last_part(recording);

    return last->first + last->file->n_entries;
}

size_t recording_files(const struct recording *recording)
{
    return recording->n_parts;
}

/* The part that has the sample; *within: its place there. NULL beyond the end. */
static const struct part *part_of(const struct recording *recording, size_t at,
                                  size_t *within)
{
    size_t i = recording->n_parts;

    if (at >= recording_count(recording))
        return NULL;
    while (recording->parts[i - 1].first > at)
        i--;
    *within = at - recording->parts[i - 1].first;
    return &recording->parts[i - 1];
}

/* Beyond the end it is all 0. */
static struct entry entry_of(const struct recording *recording, size_t at)
{
    size_t within;
    const struct part *part = part_of(recording, at, &within);

    return part ? recording_file_entry(part->file, within) : (struct entry){0};
}

int64_t recording_wall_ns(const struct recording *recording, size_t at)
{
    return entry_of(recording, at).wall_ns;
}

int64_t recording_number(const struct recording *recording, size_t at)
{
    size_t within;
    const struct part *part = part_of(recording, at, &within);

    return part ? part->before + part->file->first.sample + (int64_t)within : 0;
}

size_t recording_at_time(const struct recording *recording, int64_t wall_ns)
{
    size_t i = recording->n_parts;

    while (i > 1 && recording->parts[i - 1].file->first.wall_ns > wall_ns)
        i--;
    return recording->parts[i - 1].first +
           recording_file_at_time(recording->parts[i - 1].file, wall_ns);
}

size_t recording_key_before(const struct recording *recording, size_t at, size_t least)
{
    for (size_t i = at + 1; i > least; i--)
        if (entry_of(recording, i - 1).is_key)
            return i - 1;
    return at;
}

/* A mark may have been set of a sample of a file before: back to where the run began in
 * which it was set, as only there numbers grow from file to file. */
static bool find_marked(const struct recording *recording, size_t part, uint64_t seq,
                        size_t *at)
{
    for (size_t i = part + 1; i > 0; i--) {
        struct recording_file *file = recording->parts[i - 1].file;

        if (i <= part && file->last.seq >= recording->parts[i].file->first.seq)
            return false;
        if (recording_file_find_seq(file, seq, at)) {
            *at += recording->parts[i - 1].first;
            return true;
        }
    }
    return false;
}

/* Each file begins with the marks that were set before it. */
static bool is_known_mark(const struct recording *recording,
                          const struct recorded_mark *mark)
{
    for (size_t i = 0; i < recording->n_marks; i++)
        if (recording->marks[i].at == mark->at &&
            recording->marks[i].is_automatic == mark->is_automatic &&
            !strcmp(recording->marks[i].name, mark->name))
            return true;
    return false;
}

static void add_mark(struct recording *recording, size_t part,
                     const struct recording_file_mark *found)
{
    const struct part *in = &recording->parts[part];
    struct recorded_mark mark = {.is_automatic = found->is_automatic};

    memcpy(mark.name, found->name, sizeof(mark.name));
    if (!find_marked(recording, part, found->seq, &mark.at) ||
        !recording_file_find_sample(in->file, found->sample, &mark.set_at))
        return;
    mark.set_at += in->first;
    if (recording->n_parts > 1 && is_known_mark(recording, &mark))
        return;
    recording->marks = xreallocarray(recording->marks, recording->n_marks + 1,
                                     sizeof(*recording->marks));
    recording->marks[recording->n_marks++] = mark;
}

static void take_marks(struct recording *recording)
{
    recording->n_marks = 0;
    for (size_t i = 0; i < recording->n_parts; i++)
        for (size_t k = 0; k < recording->parts[i].file->n_marks; k++)
            add_mark(recording, i, &recording->parts[i].file->marks[k]);
}

static int open_file(struct recording *recording, const char *path, struct err *err)
{
    struct recording_file *file;

    if (recording_file_open(path, true, &file, err))
        return -1;
    if (file->n_entries) {
        add_part(recording, file);
        return 0;
    }
    err_set(err, ERR_DAMAGED, "no sample can be read from %.200s", path);
    err_remedy(err, "%s",
               file->is_broken   ? "the file is damaged; is there a copy?"
               : file->lacks_log ? "they stood in its -wal file, which is not here"
                                 : "nothing was recorded yet");
    recording_file_close(file);
    return -1;
}

static int64_t start_of(struct recording_file *file)
{
    struct err err = ERR_INIT;
    const struct snapshot *snapshot = recording_file_snapshot(file, 0, &err);
    int64_t start_ns = snapshot ? snapshot->target.start_wall_ns : 0;

    snapshot_unref(snapshot);
    return start_ns;
}

/* One heaptop looks at one process: its samples and the clock go on from file to file. */
static bool goes_on(const struct recording_file *file, const struct recording_file *newer)
{
    int64_t mono_ns = newer->first.mono_ns - file->last.mono_ns;
    int64_t wall_ns = newer->first.wall_ns - file->last.wall_ns;

    return newer->first.seq > file->last.seq && mono_ns > 0 &&
           llabs(wall_ns - mono_ns) < SAME_START_NS;
}

/* Numbers of processes are used again: the newest file says which process it is. To ask a
 * file for its first sample takes as long as to open twenty. */
static bool is_same_process(struct recording *recording, struct recording_file *file,
                            const struct recording_file *newer)
{
    int64_t start_ns;

    if (newer && goes_on(file, newer))
        return true;
    start_ns = start_of(file);
    if (!recording->start_wall_ns)
        recording->start_wall_ns = start_ns;
    return !start_ns || llabs(start_ns - recording->start_wall_ns) < SAME_START_NS;
}

/* NULL: it has nothing for us, and that is counted. `newer`: the one behind it, or NULL.
 * Only the newest may still be written, and is read whole. */
static struct recording_file *open_one(struct recording *recording,
                                       const struct folder_file *of, bool is_newest,
                                       const struct recording_file *newer)
{
    struct strbuf path = STRBUF_INIT;
    struct recording_file *file = NULL;
    struct err err = ERR_INIT;

    strbuf_addf(&path, "%s/%s", recording->folder, of->name);
    if (recording_file_open(strbuf_text(&path), is_newest, &file, &err)) {
        recording->n_unread++;
        file = NULL;
    } else if (!file->n_entries) {
        recording->n_unread += file->is_broken || file->lacks_log;
        recording_file_close(file);
        file = NULL;
    } else if (!is_same_process(recording, file, newer)) {
        recording->n_others++;
        recording_file_close(file);
        file = NULL;
    }
    strbuf_release(&path);
    return file;
}

/* The newest first, as it says which process it is. */
static void open_files(struct recording *recording, const struct folder_file *files,
                       size_t count, pid_t pid)
{
    struct recording_file *found[RECORDING_FILES_MAX];
    size_t n_found = 0;

    for (size_t i = count; i > 0; i--) {
        struct recording_file *file;

        if (files[i - 1].pid != pid) {
            recording->n_others++;
        } else if (n_found == RECORDING_FILES_MAX) {
            recording->n_older++;
        } else {
            if (!recording->newest.pid)
                recording->newest = files[i - 1];
            file = open_one(recording, &files[i - 1], !n_found,
                            n_found ? found[n_found - 1] : NULL);
            if (file)
                found[n_found++] = file;
        }
    }
    while (n_found)
        add_part(recording, found[--n_found]);
}

/* Of this process; 0: that of the newest file. */
static int open_folder(struct recording *recording, const char *folder, pid_t pid,
                       struct err *err)
{
    struct folder_file *files;
    size_t count;

    recording->folder = xstrdup(folder);
    if (folder_list(folder, &files, &count, err))
        return -1;
    if (count)
        open_files(recording, files, count, pid ? pid : files[count - 1].pid);
    free(files);
    if (recording->n_parts)
        return 0;
    err_set(err, recording->n_unread ? ERR_DAMAGED : ERR_FAILED,
            "no recording that can be read is in %.200s", folder);
    return err_remedy(err, "heaptop -w %.100s PID makes one, as heaptop-PID-TIME.htr",
                      folder);
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* "DIR/heaptop-PID", where there is no such file. */
static bool names_process(const char *path, struct strbuf *folder, pid_t *pid)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct stat status;
    int number, used = 0;

    if (stat(path, &status) == 0 || sscanf(name, "heaptop-%d%n", &number, &used) != 1 ||
        name[used] || number <= 0)
        return false;
    *pid = number;
    strbuf_add(folder, slash ? path : ".", slash ? (size_t)(slash - path) + 1 : 1);
    return true;
}

int recording_open(const char *path, struct recording **opened, struct err *err)
{
    struct recording *recording = xcalloc(1, sizeof(*recording));
    struct strbuf folder = STRBUF_INIT;
    pid_t pid = 0;
    int result;

    if (is_folder(path))
        result = open_folder(recording, path, 0, err);
    else if (names_process(path, &folder, &pid))
        result = open_folder(recording, strbuf_text(&folder), pid, err);
    else
        result = open_file(recording, path, err);
    strbuf_release(&folder);
    if (result) {
        recording_close(recording);
        return -1;
    }
    take_marks(recording);
    *opened = recording;
    return 0;
}

void recording_close(struct recording *recording)
{
    if (!recording)
        return;
    for (size_t i = 0; i < recording->n_parts; i++)
        recording_file_close(recording->parts[i].file);
    free(recording->folder);
    free(recording->marks);
    free(recording);
}

static bool is_newer(const struct recording *recording, const struct folder_file *file)
{
    int order = strcmp(file->stamp, recording->newest.stamp);

    return file->pid == recording->newest.pid &&
           (order > 0 || (order == 0 && file->number > recording->newest.number));
}

/* Files that were begun since. One without a sample is looked at again the next time. */
static void look_for_newer(struct recording *recording)
{
    struct folder_file *files = NULL;
    struct err err = ERR_INIT;
    size_t count = 0;

    if (folder_list(recording->folder, &files, &count, &err))
        return;
    for (size_t i = 0; i < count && recording->n_parts < RECORDING_FILES_MAX; i++) {
        struct recording_file *file = is_newer(recording, &files[i])
                                          ? open_one(recording, &files[i], true, NULL)
                                          : NULL;

        if (!file)
            continue;
        add_part(recording, file);
        recording->newest = files[i];
    }
    free(files);
}

size_t recording_refresh(struct recording *recording)
{
    size_t before = recording_count(recording);

    recording_file_refresh(last_part(recording)->file);
    if (recording->folder)
        look_for_newer(recording);
    take_marks(recording);
    return recording_count(recording) - before;
}

void recording_hold(struct recording *recording)
{
    for (size_t i = 0; i < recording->n_parts; i++)
        recording_file_hold(recording->parts[i].file);
}

void recording_let_go(struct recording *recording)
{
    for (size_t i = 0; i < recording->n_parts; i++)
        recording_file_let_go(recording->parts[i].file);
}

const struct snapshot *recording_snapshot(struct recording *recording, size_t at,
                                          struct err *err)
{
    size_t within;
    const struct part *part = part_of(recording, at, &within);

    if (part)
        return recording_file_snapshot(part->file, within, err);
    err_set(err, ERR_FAILED, "there is no such sample");
    return NULL;
}

int recording_point(struct recording *recording, size_t at, struct history_point *point)
{
    size_t within;
    const struct part *part = part_of(recording, at, &within);

    return part ? recording_file_point(part->file, within, point) : -1;
}

void recording_add_events(struct recording *recording, size_t from, size_t to,
                          struct history *history)
{
    while (from < to) {
        size_t within, end;
        const struct part *part = part_of(recording, from, &within);

        if (!part)
            return;
        end = within + (to - from);
        if (end > part->file->n_entries)
            end = part->file->n_entries;
        recording_file_add_events(part->file, within, end, history);
        from += end - within;
    }
}

size_t recording_marks(const struct recording *recording,
                       const struct recorded_mark **marks)
{
    *marks = recording->marks;
    return recording->n_marks;
}

static const struct snapshot *snapshot_of(const struct history *history,
                                          struct entry entry)
{
    for (size_t i = history_count(history); i > 0; i--) {
        const struct snapshot *snapshot = history_at(history, i - 1);

        if (snapshot->seq == entry.seq && snapshot->wall_ns == entry.wall_ns)
            return snapshot;
    }
    return NULL;
}

void recording_restore_marks(const struct recording *recording, size_t at,
                             struct history *history)
{
    for (size_t i = 0; i < recording->n_marks; i++) {
        const struct recorded_mark *mark = &recording->marks[i];
        const struct snapshot *snapshot =
            mark->set_at == at ? snapshot_of(history, entry_of(recording, mark->at))
                               : NULL;

        if (snapshot)
            history_restore_mark(history, snapshot, mark->name, mark->is_automatic);
    }
}

bool recording_note(const struct recording *recording, char *words, size_t size)
{
    struct strbuf text = STRBUF_INIT;

    if (recording->folder) {
        strbuf_addf(&text, "%zu file%s of process %d", recording->n_parts,
                    plural((int64_t)recording->n_parts), (int)recording->newest.pid);
        if (recording->n_older)
            strbuf_addf(&text, ", %zu older left out", recording->n_older);
        if (recording->n_others)
            strbuf_addf(&text, ", %zu of others: -r DIR/heaptop-PID",
                        recording->n_others);
    }
    snprintf(words, size, "%s", strbuf_text(&text));
    strbuf_release(&text);
    return recording->n_older || recording->n_others;
}

size_t recording_lost(const struct recording *recording, char *words, size_t size)
{
    struct recording_losses losses = {0};

    for (size_t i = 0; i < recording->n_parts; i++)
        recording_file_add_losses(recording->parts[i].file, &losses);
    words[0] = '\0';
    if (losses.lost)
        snprintf(words, size, "%zu of %zu samples of the recording are lost%s",
                 losses.lost, losses.total,
                 losses.is_broken ? ", the file is damaged" : "");
    else if (losses.is_broken)
        snprintf(words, size,
                 "the file is damaged: what follows the last sample, or a "
                 "part of its texts, is lost");
    else if (recording->n_unread)
        snprintf(words, size, "%zu file%s of the folder cannot be read",
                 recording->n_unread, plural((int64_t)recording->n_unread));
    else if (losses.lacks_log)
        snprintf(words, size,
                 "the recording was not ended and has no -wal file beside it: the newest "
                 "samples may be missing");
    return losses.lost;
}
