#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    open_and_expect("id,label,size,path\n1,Cat,77,a.jpg\n2,Dog,,b.jpg,\n", (const char *[]){ "Cat", "Dog" }, 2);
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
    expect_error("a.jpg,Cat\nb.jpg,Dog\n", CNN_ERROR_FORMAT, "list.csv:1: there is no column \"path\"");
    expect_error("where,what\na.jpg,Cat\n", CNN_ERROR_FORMAT,
                 "has \"where\", \"what\": call the one with the files path");
    expect_error("path;what\na.jpg;Cat\n", CNN_ERROR_FORMAT, "list.csv:1: there is no column \"label\"");
    expect_error(
        "label,path,Label\nCat,a.jpg,Dog\n", CNN_ERROR_FORMAT,
        "list.csv:1: two columns of the same name could hold the classes; the first line has \"label\", \"path\", "
        "\"Label\"");
    expect_error("path,label,path\na.jpg,Cat,b.jpg\n", CNN_ERROR_FORMAT, "two columns");
    expect_error("path;what\na.jpg;Cat\n", CNN_ERROR_FORMAT,
                 "has \"path\", \"what\": call the one with the classes label");
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

static void lines_that_end_in_cr_alone_are_counted(void **state)
{
    (void)state;
    open_and_expect("sep=;\rpath;label\ra.jpg;Cat\r\rb.jpg;Dog\r", (const char *[]){ "Cat", "Dog" }, 2);
    expect_error("path,label\ra.jpg,Cat\rb.jpg\r", CNN_ERROR_FORMAT, "list.csv:3: there is no label");
    expect_error("sep=;\rpath;label\r\r\"a.jpg\";\"two\rlines\"\r;Dog", CNN_ERROR_FORMAT,
                 "list.csv:6: there is no path");
    expect_error("sep=;\r\npath;label\r\n\r\n\"a.jpg\";\"two\r\nlines\"\r\n;Dog", CNN_ERROR_FORMAT,
                 "list.csv:6: there is no path");
    expect_error("path,label\rnone.jpg,Cat\rneither.jpg,Dog\r", CNN_ERROR_IO, "the first, in line 2");
}

static void columns_have_the_names_that_people_give_them(void **state)
{
    (void)state;
    static const char *const headers[] = { "filename,label",   "image,class", "File Name, Breed", "image_id,category",
                                           "filepaths,labels", "img;species", "IMAGE\tCLASS",     "file|target" };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const char *separator = strpbrk(headers[i], ",;\t|");
        char text[200];
        snprintf(text, sizeof text, "%s\na.jpg%cCat\nb.jpg%cDog\n", headers[i], *separator, *separator);
        open_and_expect(text, (const char *[]){ "Cat", "Dog" }, 2);
    }
    open_and_expect("id,image,class id,label\n7,a.jpg,0,Cat\n8,b.jpg,1,Dog\n", (const char *[]){ "Cat", "Dog" }, 2);
}

static void other_separators_keep_commas_and_quotes(void **state)
{
    (void)state;
    open_and_expect("path;label\nsub/c, d.jpg;Cat, old\n\"a.jpg\" ; \"a;b\"\n", (const char *[]){ "a;b", "Cat, old" },
                    2);
    open_and_expect("\xEF\xBB\xBF\"path\"\t\"label\"\r\na.jpg\t Cat \r\nb.jpg\t\"Dog\"\r\n",
                    (const char *[]){ "Cat", "Dog" }, 2);
}

static void names_without_extension_are_found(void **state)
{
    (void)state;
    write_names((const char *[]){ "n02_1.jpg", "n02_2.PNG", "sub/v1.5.jpeg", "bare", NULL });
    open_and_expect("id,breed\nn02_1,pug\nn02_2,beagle\nsub/v1.5,boxer\nbare,collie\n",
                    (const char *[]){ "collie", "pug", "beagle", "boxer" }, 4);
    open_and_expect("id,breed\nsub\\v1.5,boxer\nn02_1.jpg,pug\n", (const char *[]){ "pug", "boxer" }, 2);
}

static void a_missing_file_is_verifications_business(void **state)
{
    (void)state;
    open_and_expect("path,label\na.jpg,Cat\nnone.jpg,Dog\n", (const char *[]){ "Cat", "Dog" }, 2);
    expect_error("path,label\nx/a.jpg,Cat\nx/b.jpg,Dog\n", CNN_ERROR_IO,
                 "none of its 2 files is there; the first, in line 2");
}

static uint64_t count_part(cnn_part part)
{
    cnn_dataset_options options;
    cnn_dataset_options_init(&options);
    options.part = part;
    cnn_dataset *dataset = NULL;
    assert_ok(cnn_dataset_open(NULL, in_room("list.csv"), &options, &dataset));
    uint64_t count = cnn_dataset_count(dataset);
    cnn_dataset_destroy(dataset);
    return count;
}

static void a_split_column_divides_a_list(void **state)
{
    (void)state;
    static const char *const names[] = { "split", "Set", "data set", "subset", "partition", "fold" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[300];
        snprintf(
            text, sizeof text,
            "path,label,%s\na.jpg,x,train\nb.jpg,y,Training\nsub/c,x,train\n1.jpg,x,valid\n2.jpg,y,val\n3.jpg,y,test\n",
            names[i]);
        write_text("list.csv", text);
        assert_int_equal(3, count_part(CNN_PART_AUTO));
        assert_int_equal(2, count_part(CNN_PART_VALIDATION));
        assert_int_equal(1, count_part(CNN_PART_TEST));
        assert_int_equal(6, count_part(CNN_PART_ALL));
    }
    assert_true(cnn_dataset_has_test_part(NULL, in_room("list.csv")));
}

static void a_split_that_names_no_parts_divides_nothing(void **state)
{
    (void)state;
    open_and_expect("path,label,fold\na.jpg,x,0\nb.jpg,y,1\n", (const char *[]){ "x", "y" }, 2);
    open_and_expect("path,label,split\na.jpg,x,test\nb.jpg,y,test\n", (const char *[]){ "x", "y" }, 2);
    expect_error("path,label,split\na.jpg,x,train\nb.jpg,y,later\n", CNN_ERROR_FORMAT,
                 "list.csv:3: the split \"later\" is no part; parts are train, valid and test");
}

static void a_row_without_split_is_for_training(void **state)
{
    (void)state;
    write_text("list.csv", "path,label,split\na.jpg,x,\nb.jpg,y,train\n1.jpg,x,test\n");
    assert_int_equal(2, count_part(CNN_PART_AUTO));
    assert_int_equal(1, count_part(CNN_PART_TEST));
}

static void fastais_is_valid_divides_a_list(void **state)
{
    (void)state;
    write_text("list.csv", "name,label,is_valid\na.jpg,x,False\nb.jpg,y,False\n1.jpg,x,True\n");
    assert_int_equal(2, count_part(CNN_PART_AUTO));
    assert_int_equal(1, count_part(CNN_PART_VALIDATION));
    expect_error("name,label,is_valid\na.jpg,x,False\nb.jpg,y,maybe\n", CNN_ERROR_FORMAT,
                 "list.csv:3: the split \"maybe\" is no part");
}

static void keep_log(cnn_log_level level, const char *message, void *user)
{
    (void)level;
    snprintf(user, 500, "%s", message);
}

static void a_list_of_one_part_says_so(void **state)
{
    (void)state;
    char text[500] = "";
    cnn_context_options options;
    cnn_context_options_init(&options);
    options.log = keep_log;
    options.log_user = text;
    cnn_context *context;
    cnn_dataset *dataset;
    assert_ok(cnn_context_create(&options, &context));
    write_text("list.csv", "path,label,split\na.jpg,x,test\nb.jpg,y,test\n");
    assert_ok(cnn_dataset_open(context, in_room("list.csv"), NULL, &dataset));
    assert_non_null(strstr(text, "all of them are in one part, which isn't train"));
    cnn_dataset_destroy(dataset);
    cnn_context_destroy(context);
}

static void excels_separator_line_and_lines_of_blanks_are_passed_over(void **state)
{
    (void)state;
    open_and_expect("\xEF\xBB\xBFsep=;\r\npath;label\r\na.jpg;Cat, old\r\nb.jpg;Dog\r\n",
                    (const char *[]){ "Cat, old", "Dog" }, 2);
    open_and_expect("sep=,\npath,label\na.jpg,Cat\n  \t \nb.jpg,Dog\n   ", (const char *[]){ "Cat", "Dog" }, 2);
    expect_error("sep=;\npath;what\na.jpg;Cat\n", CNN_ERROR_FORMAT, "list.csv:2: there is no column \"label\"");
}

static void a_surplus_field_is_refused_by_its_line(void **state)
{
    (void)state;
    expect_error("path,label\na.jpg,Cat\nb.jpg,Dog,old\n", CNN_ERROR_FORMAT,
                 "list.csv:3: there are more fields than the first line's 2 columns, such as \"old\"");
    open_and_expect("path,label\na.jpg,Cat,\nb.jpg,Dog,,\n", (const char *[]){ "Cat", "Dog" }, 2);
}

static void a_header_of_millions_of_columns_is_read_in_a_moment(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    const double most = 10; /* seconds; every access is watched */
#else
    const double most = 1.5;
#endif
    enum { COMMAS = 5000000 };
    char *text = malloc(COMMAS + 1);
    assert_non_null(text);
    memset(text, ',', COMMAS);
    text[COMMAS] = 0;
    clock_t start = clock();
    expect_error(text, CNN_ERROR_FORMAT, "there is no column");
    assert_within_seconds(most, (double)(clock() - start) / CLOCKS_PER_SEC);
    free(text);
}

static void a_million_lines_are_read_in_seconds(void **state)
{
    (void)state;
    enum { LINES = 1000000, LENGTH = 48 };
    char *text = malloc((size_t)LINES * LENGTH + 100), *at = text;
    assert_non_null(text);
    at += sprintf(at, "path,label,split\na.jpg,0,train\n");
    for (int i = 0; i < LINES; i++)
        at += sprintf(at, "folder/image_%06d.jpg,%d,%s\n", i, i % 1000, i % 10 ? "train" : "test");
    write_text("list.csv", text);
    free(text);
    clock_t start = clock();
    assert_int_equal(LINES / 10 * 9 + 1, count_part(CNN_PART_TRAIN));
    assert_within_seconds(10, (double)(clock() - start) / CLOCKS_PER_SEC);
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

static void other_encodings_are_refused(void **state)
{
    (void)state;
    expect_error("path,label\na.jpg,Cat\nb.jpg,caf\xe9\n", CNN_ERROR_FORMAT, "list.csv:3: is not text in UTF-8");
    expect_error("path,label\na.jpg,Cat\n\xe9t\xe9.jpg,Dog\n", CNN_ERROR_FORMAT, "save it as CSV in UTF-8");
    write_names((const char *[]){ "\xe9t\xe9.jpg", NULL }); /* a file may have any name */
    open_and_expect("path,label\na.jpg,Cat\n\xe9t\xe9.jpg,Dog\n", (const char *[]){ "Cat", "Dog" }, 2);
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
        with_images(lines_that_end_in_cr_alone_are_counted),
        with_images(columns_have_the_names_that_people_give_them),
        with_images(other_separators_keep_commas_and_quotes),
        with_images(names_without_extension_are_found),
        with_images(a_missing_file_is_verifications_business),
        with_images(a_split_column_divides_a_list),
        with_images(a_split_that_names_no_parts_divides_nothing),
        with_images(a_row_without_split_is_for_training),
        with_images(fastais_is_valid_divides_a_list),
        with_images(a_list_of_one_part_says_so),
        with_images(excels_separator_line_and_lines_of_blanks_are_passed_over),
        with_images(a_surplus_field_is_refused_by_its_line),
        with_images(a_header_of_millions_of_columns_is_read_in_a_moment),
        with_images(a_million_lines_are_read_in_seconds),
        with_images(one_label_or_none_is_no_dataset),
        with_images(zero_bytes_are_refused),
        with_images(other_encodings_are_refused),
        with_images(an_unlabelled_list_needs_no_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
