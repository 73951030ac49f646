/*
 * member_layout.h - where the names of an object's fields stand.
 *
 * Classes and types in C describe their fields by PyMemberDef (Include/structmember.h,
 * descrobject.h: the same in 3.8 - 3.15). Fields that matter and are not described so are
 * listed here by type and offset.
 */
#ifndef HEAPTOP_LAYOUT_MEMBER_LAYOUT_H
#define HEAPTOP_LAYOUT_MEMBER_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define TYPE_MEMBERS 240 /* Include/cpython/object.h PyTypeObject.tp_members */

/* struct PyMemberDef: name, type (int), offset, flags (int), doc. */
#define MEMBER_BYTES  40
#define MEMBER_NAME   0
#define MEMBER_OFFSET 16

/* Include/cpython/frameobject.h PyFrameObject.f_valuestack, 3.8 - 3.10: behind the locals
 * stand temporaries, and what was left there. */
#define FRAME_VALUE_STACK 64

/* The name of a field that no PyMemberDef describes; NULL: not known. */
const char *member_name_of(uint8_t minor, const char *type, uint64_t offset);
/* Where such a field stands; 0: not known. */
uint64_t member_offset_of(uint8_t minor, const char *type, const char *name);

#endif
