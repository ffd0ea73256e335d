/* What every cmocka test file includes. */
#ifndef CNN_TESTS_TEST_H
#define CNN_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cnn/cnn.h>

/* Fails with the library's sentence. */
#define assert_ok(call)                                                     \
    do {                                                                    \
        cnn_status status_ = (call);                                        \
        if (status_)                                                        \
            fail_msg("%s: %s", cnn_status_name(status_), cnn_last_error()); \
    } while (0)

#define assert_status(expected, call) assert_string_equal(cnn_status_name(expected), cnn_status_name(call))

#endif
