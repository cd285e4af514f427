/* turbo_test.c - what was kept comes back, for its own key only, within its bounds, from any
 * thread. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/turbo.h"
#include "planner/fixture.h"

#define DOCUMENT "query A($id: ID!) { project(id: $id) { id } } query B { projects { id } }"

static struct turbo_key key_of(const struct fixture *f, struct str document, const char *name)
{
    return (struct turbo_key){document, str_of(name), STR("app_user"), f->schema->version};
}

static const struct operation *make_operation(struct fixture *f, struct str document,
                                              const char *name)
{
    static const struct parse_limits parse_limits = {1 << 20, 100000, 200};
    static const struct validate_limits validate_limits = {.max_errors = 50};
    struct validate_input in = {f->schema,     document,         str_of(name),
                                &parse_limits, &validate_limits, false};
    const struct operation *op;

    errors_init(&f->errs, f->arena);
    op = validate(&in, &f->errs);
    assert_non_null(op);
    return op;
}

static void an_operation_is_found_by_every_part_of_its_key(void **state)
{
    struct turbo *t = turbo_new(64, 1 << 20);
    struct fixture f;
    struct turbo_key key, other;
    const struct operation *op, *got;

    (void)state;
    fixture_init(&f);
    key = key_of(&f, STR(DOCUMENT), "B");
    op = make_operation(&f, STR(DOCUMENT), "B");
    assert_null(turbo_operation(t, &key));
    turbo_put_operation(t, &key, op);
    got = turbo_operation(t, &key);
    assert_ptr_equal(got, op);
    operation_unref(got);

    other = key;
    other.operation_name = STR("A");
    assert_null(turbo_operation(t, &other));
    other = key;
    other.role = STR("other");
    assert_null(turbo_operation(t, &other));
    other = key;
    other.schema_version++;
    assert_null(turbo_operation(t, &other));
    other = key;
    other.document = STR(DOCUMENT " ");
    assert_null(turbo_operation(t, &other));
    /* the same bytes, cut elsewhere */
    other = key;
    other.document = STR(DOCUMENT "B");
    other.operation_name = STR("");
    assert_null(turbo_operation(t, &other));
    operation_unref(op);
    turbo_free(t);
    fixture_fini(&f);
}

static void a_plan_belongs_to_its_operation_and_skeleton(void **state)
{
    struct turbo *t = turbo_new(64, 1 << 20);
    struct fixture f;
    struct compiled one, two;
    struct digest other;
    const struct plan *got;

    (void)state;
    fixture_init(&f);
    fixture_compile(&f, STR("{ projects { id } }"), STR(""), &one);
    fixture_compile(&f, STR("{ projects { id } }"), STR(""), &two);
    assert_non_null(one.plan);
    assert_null(turbo_plan(t, one.operation, &one.skeleton));
    turbo_put_plan(t, one.operation, &one.skeleton, one.plan, STR("{}"));
    got = turbo_plan(t, one.operation, &one.skeleton);
    assert_ptr_equal(got, one.plan);
    plan_unref(got);
    assert_null(turbo_plan(t, two.operation, &two.skeleton));
    other = one.skeleton;
    other.bytes[31] ^= 1;
    assert_null(turbo_plan(t, one.operation, &other));
    /* a second put changes nothing */
    turbo_put_plan(t, one.operation, &one.skeleton, two.plan, STR("{}"));
    got = turbo_plan(t, one.operation, &one.skeleton);
    assert_ptr_equal(got, one.plan);
    plan_unref(got);
    compiled_fini(&one);
    compiled_fini(&two);
    turbo_free(t);
    fixture_fini(&f);
}

static struct str numbered(struct arena *a, int i)
{
    return arena_printf(a, "query Q%d { projects { id } }", i);
}

static void it_stays_within_entries_and_bytes(void **state)
{
    static const struct {
        size_t entries, bytes;
    } bounds[] = {
        {80,     1 << 24},
        {100000, 200000 }
    };

    (void)state;
    for (size_t b = 0; b < COUNT_OF(bounds); b++) {
        struct turbo *t = turbo_new(bounds[b].entries, bounds[b].bytes);
        struct turbo_stats stats;
        struct fixture f;
        size_t kept = 0;

        fixture_init(&f);
        for (int i = 0; i < 500; i++) {
            struct str document = numbered(f.arena, i);
            struct turbo_key key = key_of(&f, document, "");
            const struct operation *op = make_operation(&f, document, "");

            turbo_put_operation(t, &key, op);
            operation_unref(op);
            turbo_stats(t, &stats);
            assert_true(stats.entries <= bounds[b].entries);
            assert_true(stats.bytes <= bounds[b].bytes);
        }
        assert_true(stats.entries > 10);
        assert_true(stats.evictions == 500 - stats.entries);
        for (int i = 0; i < 500; i++) {
            struct turbo_key key = key_of(&f, numbered(f.arena, i), "");
            const struct operation *op = turbo_operation(t, &key);

            kept += op != NULL;
            operation_unref(op);
        }
        assert_int_equal(kept, stats.entries);
        turbo_free(t);
        fixture_fini(&f);
    }
}

static void what_is_used_stays(void **state)
{
    struct turbo *t = turbo_new(80, 1 << 24);
    struct fixture f;
    struct turbo_key hot;
    const struct operation *op;

    (void)state;
    fixture_init(&f);
    hot = key_of(&f, STR("{ projects { name } }"), "");
    op = make_operation(&f, hot.document, "");
    turbo_put_operation(t, &hot, op);
    for (int i = 0; i < 1000; i++) {
        struct turbo_key key = key_of(&f, numbered(f.arena, i), "");
        const struct operation *got = turbo_operation(t, &hot);

        assert_ptr_equal(got, op);
        operation_unref(got);
        turbo_put_operation(t, &key, op);
    }
    operation_unref(op);
    turbo_free(t);
    fixture_fini(&f);
}

/* Whatever comes once, and however much of it, pushes out only what came once. */
static void what_comes_once_pushes_out_nothing_hot(void **state)
{
    struct turbo *t = turbo_new(160, 1 << 24);
    struct fixture f;
    const struct operation *op;
    size_t kept = 0;

    (void)state;
    fixture_init(&f);
    op = make_operation(&f, STR("{ projects { name } }"), "");
    for (int i = 0; i < 64; i++) {
        struct turbo_key key = key_of(&f, numbered(f.arena, i), "");

        turbo_put_operation(t, &key, op);
        operation_unref(turbo_operation(t, &key));
    }
    for (int i = 64; i < 20000; i++) {
        struct turbo_key key = key_of(&f, numbered(f.arena, i), "");

        turbo_put_operation(t, &key, op);
    }
    for (int i = 0; i < 64; i++) {
        struct turbo_key key = key_of(&f, numbered(f.arena, i), "");
        const struct operation *got = turbo_operation(t, &key);

        kept += got != NULL;
        operation_unref(got);
    }
    /* All but what a shard has too many of. */
    assert_true(kept >= 56);
    operation_unref(op);
    turbo_free(t);
    fixture_fini(&f);
}

static void what_is_hot_is_told_with_its_sample(void **state)
{
    struct turbo *t = turbo_new(64, 1 << 20);
    struct fixture f;
    struct compiled one;
    struct turbo_hot *hot;
    struct turbo_key key;

    (void)state;
    fixture_init(&f);
    fixture_compile(&f, STR("{ projects { id } }"), STR(""), &one);
    key = key_of(&f, STR("{ projects { id } }"), "A");
    turbo_put_operation(t, &key, one.operation);
    turbo_put_plan(t, one.operation, &one.skeleton, one.plan, STR("{\"id\":1}"));
    assert_int_equal(turbo_hot(t, 10, f.arena, &hot), 0);
    operation_unref(turbo_operation(t, &key));
    plan_unref(turbo_plan(t, one.operation, &one.skeleton));
    assert_int_equal(turbo_hot(t, 10, f.arena, &hot), 1);
    assert_true(str_is(hot[0].key.document, "{ projects { id } }"));
    assert_true(str_is(hot[0].key.operation_name, "A"));
    assert_true(hot[0].key.schema_version == f.schema->version);
    assert_true(str_is(hot[0].sample, "{\"id\":1}"));
    turbo_forget(t, (const uint64_t[]){f.schema->version}, 1);
    assert_int_equal(turbo_hot(t, 10, f.arena, &hot), 1);
    turbo_forget(t, (const uint64_t[]){f.schema->version + 1}, 1);
    assert_int_equal(turbo_hot(t, 10, f.arena, &hot), 0);
    compiled_fini(&one);
    turbo_free(t);
    fixture_fini(&f);
}

struct racer {
    struct turbo *turbo;
    struct fixture *fixture;
    const struct operation *op;
    unsigned seed;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    struct arena *a = arena_new(0);

    for (int i = 0; i < 3000; i++) {
        r->seed = r->seed * 1103515245 + 12345;
        struct str document = numbered(a, (int)(r->seed >> 16) % 200);
        struct turbo_key key = key_of(r->fixture, document, "");
        const struct operation *got = turbo_operation(r->turbo, &key);

        if (got == NULL)
            turbo_put_operation(r->turbo, &key, r->op);
        operation_unref(got);
        arena_reset(a);
    }
    arena_free(a);
    return NULL;
}

static void threads_share_it(void **state)
{
    struct fixture f;
    struct racer racers[4];
    pthread_t threads[4];
    const struct operation *op;
    struct turbo *t = turbo_new(64, 1 << 20);

    (void)state;
    fixture_init(&f);
    op = make_operation(&f, STR("{ projects { id } }"), "");
    for (unsigned i = 0; i < 4; i++) {
        racers[i] = (struct racer){t, &f, op, i};
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    operation_unref(op);
    turbo_free(t);
    fixture_fini(&f);
}

static void what_a_hot_operation_was_used_for_is_told_once(void **state)
{
    struct turbo *t = turbo_new(64, 1 << 20);
    struct turbo_usage *out;
    struct turbo_key key;
    struct fixture f;
    struct digest hash = digest_sha256(STR(DOCUMENT));
    const struct operation *op;

    (void)state;
    fixture_init(&f);
    key = key_of(&f, STR(DOCUMENT), "B");
    op = make_operation(&f, STR(DOCUMENT), "B");
    turbo_put_operation(t, &key, op);
    operation_add_usage(op, &(struct operation_usage){.misses = 1, .runs = 1, .ns = 7});
    assert_int_equal(turbo_take_usage(t, 10, f.arena, &out), 0); /* it came once */
    operation_unref(turbo_operation(t, &key));
    operation_add_usage(op, &(struct operation_usage){.hits = 1, .runs = 1, .ns = 5});
    assert_int_equal(turbo_take_usage(t, 0, f.arena, &out), 0);
    assert_int_equal(turbo_take_usage(t, 10, f.arena, &out), 1);
    assert_true(str_is(out[0].operation, "B"));
    assert_true(digest_eq(&out[0].hash, &hash, sizeof(hash)));
    assert_int_equal(out[0].used.hits, 1);
    assert_int_equal(out[0].used.misses, 1);
    assert_int_equal(out[0].used.runs, 2);
    assert_int_equal(out[0].used.ns, 12);
    assert_int_equal(turbo_take_usage(t, 10, f.arena, &out), 0);
    operation_unref(op);
    turbo_free(t);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_is_found_by_every_part_of_its_key),
        cmocka_unit_test(a_plan_belongs_to_its_operation_and_skeleton),
        cmocka_unit_test(it_stays_within_entries_and_bytes),
        cmocka_unit_test(what_is_used_stays),
        cmocka_unit_test(what_comes_once_pushes_out_nothing_hot),
        cmocka_unit_test(what_is_hot_is_told_with_its_sample),
        cmocka_unit_test(what_a_hot_operation_was_used_for_is_told_once),
        cmocka_unit_test(threads_share_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
