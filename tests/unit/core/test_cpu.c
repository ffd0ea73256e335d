/* Which tier of instructions a context uses, and how many threads it takes: on machines with very many processors, and
 * in containers with a quota. */
#define _GNU_SOURCE /* cpu_set_t */
#include "../test.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/context_internal.h"
#include "core/cpu.h"
#include "core/quota.h"

static int fake_processors, fake_places; /* 0: none is faked */

/* Stands in for the C library's: a kernel that has a number of places for processors wants room for all of them. */
int sched_getaffinity(pid_t process, size_t size, cpu_set_t *set)
{
    (void)process;
    if (size * 8 < (size_t)fake_places) {
        errno = EINVAL;
        return -1;
    }
    CPU_ZERO_S(size, set);
    for (int i = 0; i < fake_processors; i++)
        CPU_SET_S(i, size, set);
    return 0;
}

static void use_processors(int count, int places)
{
    fake_processors = count;
    fake_places = places;
}

static void assert_threads(uint32_t expected)
{
    cnn_context *context;
    assert_ok(cnn_context_create(NULL, &context));
    assert_int_equal(expected, cnn_context_threads(context));
    cnn_context_destroy(context);
}

static void threads_are_at_most_256_on_any_machine(void **state)
{
    (void)state;
    if (cnn_cpu_quota(""))
        skip(); /* a quota here is less than what is faked */
    use_processors(8, 1024);
    assert_threads(8);
    for (int count = 255; count <= 1024; count += count < 258 ? 1 : 256) {
        use_processors(count, 1024);
        assert_int_equal(count, cnn_cpu_count());
        assert_threads(count < CNN_MAX_THREADS ? (uint32_t)count : CNN_MAX_THREADS);
    }
}

static void a_set_of_more_than_1024_processors_is_counted(void **state)
{
    (void)state;
    if (cnn_cpu_quota(""))
        skip();
    use_processors(1500, 2048);
    assert_int_equal(1500, cnn_cpu_count());
    assert_threads(CNN_MAX_THREADS);
    use_processors(3, 8192);
    assert_int_equal(3, cnn_cpu_count());
    use_processors(3, INT32_MAX); /* no room is enough: what is online counts */
    assert_true(cnn_cpu_count() >= 1);
}

static void the_environment_gives_a_possible_number_or_none(void **state)
{
    (void)state;
    if (cnn_cpu_quota(""))
        skip();
    use_processors(5, 1024);
    const char *const wrong[] = { "", "0", "-1", "abc", "3abc", "257", "99999", "99999999999999999999" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("CNN_THREADS", wrong[i], 1);
        assert_threads(5);
    }
    setenv("CNN_THREADS", "256", 1);
    assert_threads(256);
    unsetenv("CNN_THREADS");
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.threads = 257;
    cnn_context *context;
    assert_status(CNN_ERROR_ARGUMENT, cnn_context_create(&options, &context));
    assert_non_null(strstr(cnn_last_error(), "at most 256"));
}

/* --- quotas: a folder stands in for the root of a system --- */

static char root[64];

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/cnn-quota-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

/* Writes a file below the root, whose folders are made. */
static void put(const char *path, const char *text)
{
    char place[512];
    int length = snprintf(place, sizeof place, "%s%s", root, path);
    assert_in_range(length, 1, (int)sizeof place - 1);
    for (char *slash = strchr(place + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(place, 0777);
        *slash = '/';
    }
    FILE *file = fopen(place, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(0, fclose(file));
}

static const char unified_mount[] = "24 1 0:22 / /proc rw - proc proc rw\n"
                                    "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

static void there_is_no_quota_without_control_groups(void **state)
{
    (void)state;
    assert_int_equal(0, cnn_cpu_quota(root));
    put("/proc/self/cgroup", "0::/\n");
    assert_int_equal(0, cnn_cpu_quota(root));
    put("/proc/self/mountinfo", unified_mount);
    assert_int_equal(0, cnn_cpu_quota(root));
    put("/sys/fs/cgroup/cpu.max", "max 100000\n");
    assert_int_equal(0, cnn_cpu_quota(root));
}

static void a_quota_is_rounded_down_to_whole_processors(void **state)
{
    (void)state;
    const struct {
        const char *text;
        uint32_t expected;
    } cases[] = {
        { "200000 100000\n", 2 }, { "399999 100000\n", 3 }, { "50000 100000\n", 1 },   { "1000 1000000\n", 1 },
        { "max 100000\n", 0 },    { "0 0\n", 0 },           { "-1 100000\n", 0 },      { "", 0 },
        { "word\n", 0 },          { "200000", 0 },          { "1600000 100000\n", 16 }
    };
    put("/proc/self/cgroup", "0::/\n");
    put("/proc/self/mountinfo", unified_mount);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put("/sys/fs/cgroup/cpu.max", cases[i].text);
        assert_int_equal(cases[i].expected, cnn_cpu_quota(root));
    }
}

static void the_least_of_a_group_and_those_above_it_counts(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/system.slice/docker.scope/part\n");
    put("/proc/self/mountinfo", unified_mount);
    put("/sys/fs/cgroup/system.slice/docker.scope/part/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/system.slice/docker.scope/cpu.max", "300000 100000\n");
    put("/sys/fs/cgroup/system.slice/cpu.max", "800000 100000\n");
    put("/sys/fs/cgroup/other.slice/cpu.max", "100000 100000\n");
    assert_int_equal(3, cnn_cpu_quota(root));
    put("/sys/fs/cgroup/system.slice/cpu.max", "200000 100000\n");
    assert_int_equal(2, cnn_cpu_quota(root));
    put("/sys/fs/cgroup/system.slice/docker.scope/part/cpu.max", "150000 100000\n");
    assert_int_equal(1, cnn_cpu_quota(root));
}

/* There the path is one of the host, and what is mounted is the container's own group. */
static void a_container_without_a_name_space_of_groups_has_a_quota(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "12:pids:/docker/abc\n4:cpu,cpuacct:/docker/abc\n3:cpuset:/docker/abc\n0::/docker/abc\n");
    put("/proc/self/mountinfo",
        "40 24 0:30 /docker/abc /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n"
        "41 24 0:31 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro shared:9 master:8 - cgroup cgroup rw,cpu,cpuacct\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/cpuset/cpu.cfs_quota_us", "100000\n");
    put("/sys/fs/cgroup/cpuset/cpu.cfs_period_us", "100000\n");
    assert_int_equal(2, cnn_cpu_quota(root));
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    assert_int_equal(0, cnn_cpu_quota(root));
}

static void groups_of_version_1_have_a_quota_on_the_host(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "2:cpuacct,cpu:/batch/job\n1:name=systemd:/batch/job\n");
    put("/proc/self/mountinfo", "33 24 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpuacct,cpu\n");
    put("/sys/fs/cgroup/cpu/batch/cpu.cfs_quota_us", "400000\n");
    put("/sys/fs/cgroup/cpu/batch/cpu.cfs_period_us", "50000\n");
    put("/sys/fs/cgroup/cpu/batch/job/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu/batch/job/cpu.cfs_period_us", "50000\n");
    assert_int_equal(8, cnn_cpu_quota(root));
}

static void paths_that_lead_nowhere_are_no_quota(void **state)
{
    (void)state;
    char lines[20000];
    memset(lines, 'x', sizeof lines);
    memcpy(lines, "0::/", 4);
    lines[sizeof lines - 1] = 0;
    put("/proc/self/mountinfo", unified_mount);
    put("/proc/self/cgroup", lines);
    assert_int_equal(0, cnn_cpu_quota(root));
    put("/sys/fs/cgroup/cpu.max", "100000 100000\n");
    put("/proc/self/cgroup", "0::/../../elsewhere\n"); /* a group outside of the name space */
    assert_int_equal(1, cnn_cpu_quota(root));
    put("/proc/self/cgroup", "no colon\n:\n0:\n");
    assert_int_equal(0, cnn_cpu_quota(root));
    put("/proc/self/mountinfo", lines);
    assert_int_equal(0, cnn_cpu_quota(root));
}

static void assert_named_tier(const char *variable, cnn_instruction_set set, const char *expected)
{
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.instruction_set = set;
    options.threads = 1;
    cnn_context *context;
    setenv("CNN_CPU", variable, 1);
    assert_ok(cnn_context_create(&options, &context));
    assert_string_equal(expected, cnn_context_instruction_set(context));
    cnn_context_destroy(context);
    unsetenv("CNN_CPU");
}

static void each_tier_that_the_processor_has_can_be_forced(void **state)
{
    (void)state;
    const char *best = cnn_tier_name(cnn_cpu_tier(CNN_TIER_COUNT));
    for (cnn_tier tier = CNN_TIER_GENERIC; tier < CNN_TIER_COUNT; tier++) {
        const char *name = cnn_tier_name(tier);
        cnn_tier chosen = cnn_cpu_tier(tier);
        assert_int_equal(tier, cnn_tier_from_name(name));
        assert_named_tier(name, CNN_ISA_BEST, cnn_tier_name(chosen));
        if (chosen > tier) /* another architecture's */
            assert_string_equal(best, cnn_tier_name(chosen));
        else
            assert_int_equal(chosen, cnn_cpu_tier(chosen));
    }
    assert_named_tier("no such tier", CNN_ISA_BEST, best);
}

static void an_option_goes_before_the_environment(void **state)
{
    (void)state;
    static const cnn_instruction_set sets[] = { CNN_ISA_GENERIC, CNN_ISA_AVX2, CNN_ISA_AVX512, CNN_ISA_NEON };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        assert_named_tier(i ? "generic" : "avx2", sets[i], cnn_tier_name(cnn_cpu_tier(cnn_highest_tier(sets[i]))));
}

static void a_family_is_used_with_all_that_the_processor_has_of_it(void **state)
{
    (void)state;
    cnn_tier best = cnn_cpu_tier(CNN_TIER_COUNT);
    cnn_instruction_set family = best >= CNN_TIER_NEON     ? CNN_ISA_NEON
                                 : best >= CNN_TIER_AVX512 ? CNN_ISA_AVX512
                                 : best >= CNN_TIER_AVX2   ? CNN_ISA_AVX2
                                                           : CNN_ISA_GENERIC;
    assert_named_tier("generic", family, cnn_tier_name(best));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tier_that_the_processor_has_can_be_forced),
        cmocka_unit_test(an_option_goes_before_the_environment),
        cmocka_unit_test(a_family_is_used_with_all_that_the_processor_has_of_it),
        cmocka_unit_test(threads_are_at_most_256_on_any_machine),
        cmocka_unit_test(a_set_of_more_than_1024_processors_is_counted),
        cmocka_unit_test(the_environment_gives_a_possible_number_or_none),
        cmocka_unit_test_setup_teardown(there_is_no_quota_without_control_groups, make_root, remove_root),
        cmocka_unit_test_setup_teardown(a_quota_is_rounded_down_to_whole_processors, make_root, remove_root),
        cmocka_unit_test_setup_teardown(the_least_of_a_group_and_those_above_it_counts, make_root, remove_root),
        cmocka_unit_test_setup_teardown(a_container_without_a_name_space_of_groups_has_a_quota, make_root, remove_root),
        cmocka_unit_test_setup_teardown(groups_of_version_1_have_a_quota_on_the_host, make_root, remove_root),
        cmocka_unit_test_setup_teardown(paths_that_lead_nowhere_are_no_quota, make_root, remove_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
