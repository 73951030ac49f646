/* What is published: to whom it may be, and in which format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "publish/accept.h"
#include "publish/address.h"

static void test_accept(void **state)
{
    static const struct {
        const char *accept;
        enum exposition_format format;
    } rows[] = {
        {NULL, EXPOSITION_TEXT},
        {"", EXPOSITION_TEXT},
        {"*/*", EXPOSITION_TEXT},
        {"text/html, */*;q=0.1", EXPOSITION_TEXT},
        {"application/openmetrics-text", EXPOSITION_OPENMETRICS},
        {"Application/OpenMetrics-Text ; version=1.0.0", EXPOSITION_OPENMETRICS},
        {"application/openmetrics-text-2", EXPOSITION_TEXT},
        {"application/openmetrics-text;q=0", EXPOSITION_TEXT},
        {"application/openmetrics-text;q=0.3,text/plain;q=0.5", EXPOSITION_TEXT},
        {"text/plain;version=0.0.4;q=0.5,application/openmetrics-text; q=0.8",
         EXPOSITION_OPENMETRICS},
        {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
         "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         EXPOSITION_OPENMETRICS},
        {",,;;,;q=,", EXPOSITION_TEXT},
        {"application/openmetrics-text;q=nonsense", EXPOSITION_TEXT},
        {"application/openmetrics-text;", EXPOSITION_OPENMETRICS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(accept_format(rows[i].accept), rows[i].format);
}

static void test_addresses(void **state)
{
    static const char *const wrong[] = {"",
                                        ":",
                                        "x",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        "127.0.0.1:http",
                                        "127.0.0.1:70000",
                                        "example.org:80",
                                        ":9",
                                        "[::1:9",
                                        "unix:",
                                        "127.0.0.1:9:9"};
    static const char *const remote[] = {"0.0.0.0:0", "[::]:0"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(address_listen(wrong[i], true, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
    }
    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(address_listen(remote[i], false, &err), -1);
        assert_non_null(strstr(err.remedy, "--listen-remote"));
    }
}

static void test_loopback(void **state)
{
    static const char *const good[] = {"0", "127.0.0.1:0", "localhost:0", "127.9.9.9:0"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct err err = ERR_INIT;
        int fd = address_listen(good[i], false, &err);

        assert_true(fd >= 0);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_loopback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
