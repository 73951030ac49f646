#include "layout/member_layout.h"

#include <string.h>

#define LRU_CACHE   "functools._lru_cache_wrapper"
#define LRU_ELEMENT "functools._lru_list_elem"
#define TASK        "_asyncio.Task"
#define FUTURE      "_asyncio.Future"

struct field_fact {
    const char *type, *name;
    uint16_t offset;
    uint8_t first, last; /* minor versions */
};

/* Include/cpython/funcobject.h PyFunctionObject (3.10: PyFrameConstructor first),
 * cellobject.h PyCellObject, object.h PyTypeObject, genobject.h _PyGenObject_HEAD,
 * methodobject.h PyCFunctionObject, Modules/_functoolsmodule.c lru_cache_object,
 * lru_list_elem, Modules/_asynciomodule.c TaskObj, FutureObj. */
static const struct field_fact facts[] = {
    {"function", "__defaults__", 32, 8, 9},
    {"function", "__kwdefaults__", 40, 8, 9},
    {"function", "__closure__", 48, 8, 9},
    {"function", "__code__", 16, 8, 9},
    {"function", "__globals__", 24, 8, 9},
    {"function", "__globals__", 16, 10, 15},
    {"function", "__builtins__", 24, 10, 15},
    {"function", "__name__", 32, 10, 15},
    {"function", "__qualname__", 40, 10, 15},
    {"function", "__code__", 48, 10, 15},
    {"function", "__defaults__", 56, 10, 15},
    {"function", "__kwdefaults__", 64, 10, 15},
    {"function", "__closure__", 72, 10, 15},
    {"cell", "cell_contents", 16, 8, 15},
    {"type", "__base__", 256, 8, 15},
    {"type", "__bases__", 336, 8, 15},
    {"type", "__mro__", 344, 8, 15},
    {"function", "__qualname__", 104, 8, 9},
    {"generator", "__qualname__", 56, 8, 9},
    {"generator", "__qualname__", 48, 10, 10},
    {"generator", "__qualname__", 40, 11, 11},
    {"generator", "__qualname__", 32, 12, 15},
    {LRU_CACHE, "cache", 72, 8, 15},
    {LRU_CACHE, "__wrapped__", 88, 8, 15},
    {LRU_ELEMENT, "key", 40, 8, 15},
    {LRU_ELEMENT, "result", 48, 8, 15},
    {TASK, "_coro", 112, 8, 8},
    {TASK, "_coro", 152, 9, 9},
    {TASK, "_coro", 160, 10, 10},
    {TASK, "_coro", 136, 11, 12},
    {TASK, "_coro", 120, 13, 13},
    {TASK, "_coro", 128, 14, 15},
    {TASK, "_fut_waiter", 104, 8, 8},
    {TASK, "_fut_waiter", 144, 9, 9},
    {TASK, "_fut_waiter", 152, 10, 10},
    {TASK, "_fut_waiter", 128, 11, 12},
    {TASK, "_fut_waiter", 112, 13, 13},
    {TASK, "_fut_waiter", 120, 14, 15},
    {FUTURE, "_callbacks", 24, 8, 15},
    {FUTURE, "_exception", 48, 8, 15},
    {FUTURE, "_result", 56, 8, 9},
    {FUTURE, "_result", 64, 10, 15},
    {FUTURE, "(awaited by)", 96, 14, 15},
    {"builtin_function_or_method", "__self__", 24, 8, 15},
};

const char *member_name_of(uint8_t minor, const char *type, uint64_t offset)
{
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        if (facts[i].offset == offset && minor >= facts[i].first &&
            minor <= facts[i].last && !strcmp(facts[i].type, type))
            return facts[i].name;
    return NULL;
}

uint64_t member_offset_of(uint8_t minor, const char *type, const char *name)
{
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        if (minor >= facts[i].first && minor <= facts[i].last &&
            !strcmp(facts[i].type, type) && !strcmp(facts[i].name, name))
            return facts[i].offset;
    return 0;
}
