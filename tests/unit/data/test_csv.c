#include <stdio.h>
#include <string.h>

#include "../test.h"
#include "files.h"

static void open_and_expect(const char *text, const char *const *labels, size_t count)
{
    write_text("list.csv", text);
    cnn_dataset *dataset = NULL;
    assert_ok(cnn_dataset_open(NULL, in_room("list.csv"), NULL, &dataset));
    assert_int_equal(count, cnn_dataset_count(dataset));
    for (size_t i = 0; i < count; i++)
        assert_string_equal(labels[i], cnn_dataset_class_name(dataset, (uint32_t)cnn_dataset_label(dataset, i)));
    cnn_dataset_destroy(dataset);
}

static void expect_error(const char *text, cnn_status status, const char *words)
{
    write_text("list.csv", text);
    cnn_dataset *dataset = NULL;
    assert_status(status, cnn_dataset_open(NULL, in_room("list.csv"), NULL, &dataset));
    assert_null(dataset);
    if (!strstr(cnn_last_error(), words))
        fail_msg("\"%s\" doesn't say \"%s\"", cnn_last_error(), words);
}

static int make_images(void **state)
{
    int result = make_room(state);
    write_names((const char *[]){ "a.jpg", "b.jpg", "sub/c, d.jpg", "e\"f.jpg", NULL });
    return result;
}

static void a_plain_list_is_read(void **state)
{
    (void)state;
    open_and_expect("path,label\na.jpg,Cat\nb.jpg,Dog\n", (const char *[]){ "Cat", "Dog" }, 2);
    open_and_expect("path,label\na.jpg,Cat\nb.jpg,Dog", (const char *[]){ "Cat", "Dog" }, 2);
}

static void windows_lines_a_byte_order_mark_and_blank_lines_are_read(void **state)
{
    (void)state;
    open_and_expect("\xEF\xBB\xBFPath, Label\r\n\r\nb.jpg , Dog \r\na.jpg,Cat\r\n\r\n",
                    (const char *[]){ "Cat", "Dog" }, 2);
}

static void quotes_protect_commas_quotes_and_line_ends(void **state)
{
    (void)state;
    open_and_expect("\"path\",\"label\"\n\"sub/c, d.jpg\",\"two\nlines\"\n\"e\"\"f.jpg\",\"a \"\"quote\"\"\"\n",
                    (const char *[]){ "a \"quote\"", "two\nlines" }, 2);
}

static void other_columns_are_ignored_wherever_they_are(void **state)
{
    (void)state;
    open_and_expect("id,label,size,path\n1,Cat,77,a.jpg\n2,Dog,,b.jpg,extra\n", (const char *[]){ "Cat", "Dog" }, 2);
}

static void paths_are_full_and_may_be_absolute(void **state)
{
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, "path,label\n%s,x\nb.jpg,y\n", in_room("sub/../a.jpg"));
    write_text("list.csv", text);
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, in_room("list.csv"), NULL, &dataset));
    assert_string_equal(in_room("b.jpg"), cnn_dataset_path(dataset, 0));
    assert_string_equal(in_room("sub/../a.jpg"), cnn_dataset_path(dataset, 1));
    cnn_dataset_destroy(dataset);
}

static void missing_columns_are_named(void **state)
{
    (void)state;
    expect_error("file,label\na.jpg,Cat\n", CNN_ERROR_FORMAT, "list.csv:1: there is no column \"path\"");
    expect_error("path,class\na.jpg,Cat\n", CNN_ERROR_FORMAT, "list.csv:1: there is no column \"label\"");
    expect_error("", CNN_ERROR_FORMAT, "list.csv:1: there is no column \"path\"");
}

static void broken_rows_are_named_by_line(void **state)
{
    (void)state;
    expect_error("path,label\na.jpg,Cat\nb.jpg\n", CNN_ERROR_FORMAT, "list.csv:3: there is no label");
    expect_error("path,label\na.jpg,Cat\n,Dog\n", CNN_ERROR_FORMAT, "list.csv:3: there is no path");
    expect_error("path,label\n\n\"a.jpg,Cat\nb.jpg,Dog\n", CNN_ERROR_FORMAT, "list.csv:3: a quote is opened");
    expect_error("path,label\n\"a.jpg\"x,Cat\n", CNN_ERROR_FORMAT, "list.csv:2: text follows a closing quote");
}

static void missing_files_are_named_with_their_line(void **state)
{
    (void)state;
    expect_error("path,label\na.jpg,Cat\nnone.jpg,Dog\n", CNN_ERROR_IO, "none.jpg: can't be opened: No such file");
    assert_non_null(strstr(cnn_last_error(), "list.csv:3: "));
}

static void one_label_or_none_is_no_dataset(void **state)
{
    (void)state;
    expect_error("path,label\na.jpg,Cat\nb.jpg,Cat\n", CNN_ERROR_DATA, "only one class, \"Cat\"");
    expect_error("path,label\n", CNN_ERROR_DATA, "there are no images in it");
}

static void zero_bytes_are_refused(void **state)
{
    (void)state;
    write_file("list.csv", "path,label\na.jpg\0,Cat\n", 23);
    cnn_dataset *dataset;
    assert_status(CNN_ERROR_FORMAT, cnn_dataset_open(NULL, in_room("list.csv"), NULL, &dataset));
    assert_non_null(strstr(cnn_last_error(), "is not text"));
}

static void an_unlabelled_list_needs_no_labels(void **state)
{
    (void)state;
    write_text("list.csv", "path\nb.jpg\na.jpg\n");
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.unlabelled = 1;
    cnn_dataset *dataset;
    assert_ok(cnn_dataset_open(NULL, in_room("list.csv"), &options, &dataset));
    assert_int_equal(2, cnn_dataset_count(dataset));
    assert_int_equal(-1, cnn_dataset_label(dataset, 0));
    cnn_dataset_destroy(dataset);
}

#define with_images(test) cmocka_unit_test_setup_teardown(test, make_images, remove_room)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_images(a_plain_list_is_read),
        with_images(windows_lines_a_byte_order_mark_and_blank_lines_are_read),
        with_images(quotes_protect_commas_quotes_and_line_ends),
        with_images(other_columns_are_ignored_wherever_they_are),
        with_images(paths_are_full_and_may_be_absolute),
        with_images(missing_columns_are_named),
        with_images(broken_rows_are_named_by_line),
        with_images(missing_files_are_named_with_their_line),
        with_images(one_label_or_none_is_no_dataset),
        with_images(zero_bytes_are_refused),
        with_images(an_unlabelled_list_needs_no_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
