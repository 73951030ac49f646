/*
 * pins.h - the pins in words, and the section sealed. Pure; any thread.
 */
#ifndef HEAPTOP_MODEL_PINS_H
#define HEAPTOP_MODEL_PINS_H

#include "heaptop/pins.h"

#define PINS_WORDS_MAX 200

/* Rows are copied in and sorted; one reference is given, NULL when out of memory. */
const struct pins_section *pins_seal(const struct pins_section *facts,
                                     const struct pin_row *rows, size_t count);

/* "200 objects of 9.6K keep 187 arenas, 186.9M: 190 __main__.S, 10 str", of the arenas of
 * which hardly anything is in use. False when nothing of the kind would be returned. */
bool pins_words(const struct pins_section *section, char words[PINS_WORDS_MAX]);

/* "190 app.Entry are held by list in app.Cache._items": of the kinds of which most are
 * held in one way, the one with most objects there. False when that is not known. */
bool pins_owner_words(const struct pins_section *section, char words[PINS_WORDS_MAX]);

#endif
