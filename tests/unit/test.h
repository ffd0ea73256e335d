/* What every cmocka test file includes. */
#ifndef CNN_TESTS_TEST_H
#define CNN_TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cnn/cnn.h>

/* Fails with the library's sentence. */
#define assert_ok(call)                                                     \
    do {                                                                    \
        cnn_status status_ = (call);                                        \
        if (status_)                                                        \
            fail_msg("%s: %s", cnn_status_name(status_), cnn_last_error()); \
    } while (0)

/* Options of which a test names some fields: those it leaves at zero become what the _init function sets. */
static inline cnn_optimizer_options optimizer_options(cnn_optimizer_options given)
{
    cnn_optimizer_options options;
    cnn_optimizer_options_init(&options);
    given.struct_size = options.struct_size;
    given.learning_rate = given.learning_rate != 0 ? given.learning_rate : options.learning_rate;
    given.beta1 = given.beta1 != 0 ? given.beta1 : options.beta1;
    given.beta2 = given.beta2 != 0 ? given.beta2 : options.beta2;
    given.alpha = given.alpha != 0 ? given.alpha : options.alpha;
    given.epsilon = given.epsilon != 0 ? given.epsilon : options.epsilon;
    return given;
}

/* An emulated processor, which tests/portability/run.sh says there is, takes many times as long. */
#define assert_within_seconds(most, seconds) assert_true((seconds) < (most) || getenv("CNN_TEST_EMULATED"))

#define assert_status(expected, call) assert_string_equal(cnn_status_name(expected), cnn_status_name(call))

#endif
