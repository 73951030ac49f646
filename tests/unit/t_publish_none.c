/* --listen of a heaptop that was built without libmicrohttpd: built here in any case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "publish/server.h"

static void test_it_says_what_is_missing(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(server_check(&err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, "libmicrohttpd"));
    assert_non_null(strstr(err.remedy, "--textfile"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_says_what_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
