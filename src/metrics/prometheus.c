/*
 * prometheus.c - text exposition format 0.0.4.
 *
 * Thread:   any.
 * Memory:   the caller's buf.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "metrics/prometheus.h"

#include "base/jwriter.h"
#include "metrics/exemplars.h"
#include "metrics/operation_series.h"
#include "version.h"

struct page {
    struct buf *out;
    bool open; /* OpenMetrics */
};

enum row_kind {
    ROW_METRIC,
    ROW_COUNTER,
    ROW_GAUGE,
    ROW_HISTOGRAM,
};

#define TYPE_COUNTER   "counter"
#define TYPE_GAUGE     "gauge"
#define TYPE_HISTOGRAM "histogram"

/* clang-format off */
static const struct row {
    enum row_kind kind;
    int id;
    const char *text; /* name of a metric, labels of a series */
    const char *type;
    const char *help;
} rows[] = {
#define METRIC(type, name, help)       {ROW_METRIC, 0, name, TYPE_##type, help},
#define COUNTER(id, labels)            {ROW_COUNTER, METRIC_##id, labels, NULL, NULL},
#define GAUGE(id, labels)              {ROW_GAUGE, GAUGE_##id, labels, NULL, NULL},
#define SAME_GAUGE(id)                 {ROW_GAUGE, GAUGE_##id, "", NULL, NULL},
#define HISTOGRAM(id, labels, buckets) {ROW_HISTOGRAM, HISTOGRAM_##id, labels, NULL, NULL},
#include "metrics/metrics.def"
#undef METRIC
#undef COUNTER
#undef GAUGE
#undef SAME_GAUGE
#undef HISTOGRAM
};
/* clang-format on */

/* A counter is called by its samples' name, and in OpenMetrics without their suffix. */
static void write_head(const struct page *p, const char *name, const char *type, const char *help)
{
    size_t len = strlen(name);

    if (p->open && strcmp(type, TYPE_COUNTER) == 0)
        len -= strlen("_total");
    buf_printf(p->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)len, name, help, (int)len, name,
               type);
}

static void write_name(struct buf *out, const char *name, const char *labels)
{
    buf_append_str(out, str_of(name));
    if (labels[0] != '\0')
        buf_printf(out, "{%s}", labels);
    buf_append_char(out, ' ');
}

/* Nanoseconds as seconds, exactly. */
static void write_seconds(struct buf *out, uint64_t ns)
{
    char text[40];
    int len = snprintf(text, sizeof(text), "%llu.%09llu", (unsigned long long)(ns / 1000000000),
                       (unsigned long long)(ns % 1000000000));

    while (text[len - 1] == '0')
        len--;
    if (text[len - 1] == '.')
        len--;
    buf_append(out, text, (size_t)len);
}

/* Behind a bucket: the last trace that fell into it. */
static void write_exemplar(const struct page *p, size_t bucket)
{
    struct exemplar e;

    if (!exemplar_get(bucket, &e))
        return;
    buf_printf(p->out, " # {trace_id=\"%s\"} ", e.trace_id);
    write_seconds(p->out, e.nanoseconds);
    buf_printf(p->out, " %.3f", (double)e.at_us / 1e6);
}

static void write_histogram(const struct page *p, const char *name, const char *labels,
                            const struct histogram_total *total, const uint64_t *bounds,
                            bool exemplars)
{
    const char *comma = labels[0] != '\0' ? "," : "";
    struct buf *out = p->out;
    uint64_t count = 0;

    for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++) {
        count += total->counts[i];
        buf_printf(out, "%s_bucket{%s%sle=\"", name, labels, comma);
        if (i < HISTOGRAM_BUCKETS)
            write_seconds(out, bounds[i]);
        else
            buf_append_lit(out, "+Inf");
        buf_printf(out, "\"} %llu", (unsigned long long)count);
        if (exemplars && p->open)
            write_exemplar(p, i);
        buf_append_char(out, '\n');
    }
    buf_append_str(out, str_of(name));
    write_name(out, "_sum", labels);
    write_seconds(out, total->sum_ns);
    buf_append_char(out, '\n');
    buf_append_str(out, str_of(name));
    write_name(out, "_count", labels);
    buf_append_u64(out, count);
    buf_append_char(out, '\n');
}

static void write_row(const struct page *p, const char *name, const char *labels, enum histogram h)
{
    struct histogram_total total = metric_histogram(h);

    write_histogram(p, name, labels, &total, metric_bounds(h), h == HISTOGRAM_HTTP_REQUEST);
}

static void write_operations(const struct page *p)
{
    static const char name[] = "fraiseql_graphql_operation_duration_seconds";
    char labels[OPERATION_SERIES_NAME_MAX + sizeof("operation=\"\"")];

    write_head(
        p, name, TYPE_HISTOGRAM,
        "Time from a complete request to the end of its operation, by name; other: those that "
        "have no series of their own.");
    for (uint32_t i = 0; i < operation_series_count(); i++) {
        struct histogram_total total = operation_series_total(i);

        snprintf(labels, sizeof(labels), "operation=\"%s\"", operation_series_name(i));
        write_histogram(p, name, labels, &total, operation_series_bounds(), false);
    }
}

static void write_table(const struct page *p)
{
    struct buf *out = p->out;
    const char *name = "";

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *r = &rows[i];

        switch (r->kind) {
        case ROW_METRIC:
            name = r->text;
            write_head(p, name, r->type, r->help);
            break;
        case ROW_COUNTER:
            write_name(out, name, r->text);
            buf_append_u64(out, metric_total((enum metric)r->id));
            buf_append_char(out, '\n');
            break;
        case ROW_GAUGE:
            write_name(out, name, r->text);
            jwriter_double(out, metric_gauge((enum gauge)r->id));
            buf_append_char(out, '\n');
            break;
        case ROW_HISTOGRAM:
            write_row(p, name, r->text, (enum histogram)r->id);
            break;
        }
    }
}

static void visit_histogram(struct metric_sample *m, enum histogram h,
                            void (*fn)(const struct metric_sample *m, void *ctx), void *ctx)
{
    struct histogram_total total = metric_histogram(h);

    m->histogram = &total;
    m->bounds = metric_bounds(h);
    fn(m, ctx);
    m->histogram = NULL;
}

void prometheus_visit(void (*fn)(const struct metric_sample *m, void *ctx), void *ctx)
{
    struct metric_sample m = {0};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *r = &rows[i];

        m.labels = r->text;
        switch (r->kind) {
        case ROW_METRIC:
            m.name = r->text;
            m.type = r->type;
            break;
        case ROW_COUNTER:
            m.value = (double)metric_total((enum metric)r->id);
            fn(&m, ctx);
            break;
        case ROW_GAUGE:
            m.value = metric_gauge((enum gauge)r->id);
            fn(&m, ctx);
            break;
        case ROW_HISTOGRAM:
            visit_histogram(&m, (enum histogram)r->id, fn, ctx);
            break;
        }
    }
}

/* --- the process ---------------------------------------------------------------------- */

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t read_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return 0;
    n = read(fd, text, size - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    return (size_t)n;
}

/* Virtual size and resident set, in bytes: the first two numbers of statm, in pages. */
static void memory_bytes(double *virtual_size, double *resident)
{
    unsigned long long size, rss;
    char text[256];
    double page = (double)sysconf(_SC_PAGESIZE);

    *virtual_size = *resident = 0;
    if (read_file("/proc/self/statm", text, sizeof(text)) == 0 ||
        sscanf(text, "%llu %llu", &size, &rss) != 2)
        return;
    *virtual_size = (double)size * page;
    *resident = (double)rss * page;
}

/* Seconds since 1970: now minus the age, which is uptime minus field 22 of stat (proc(5)). */
static double compute_start(void)
{
    unsigned long long ticks;
    char text[2048];
    struct timespec now, boot;
    const char *p;

    if (read_file("/proc/self/stat", text, sizeof(text)) == 0)
        return 0;
    /* The name of the program, field 2, may hold anything: fields count from its end. */
    p = strrchr(text, ')');
    for (int field = 2; p != NULL && field < 22; field++)
        p = strchr(p + 1, ' ');
    if (p == NULL || sscanf(p, "%llu", &ticks) != 1)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (double)(now.tv_sec - boot.tv_sec) + (double)(now.tv_nsec - boot.tv_nsec) / 1e9 +
           (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double start; /* written once */

static void set_start(void)
{
    start = compute_start();
}

/* The same at every scrape: computed anew it would differ by what lies between two clocks being
 * read, and who watches it would see restarts. */
static double start_seconds(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    CHECK(pthread_once(&once, set_start) == 0);
    return start;
}

static double open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    double n = 0;

    if (dir == NULL)
        return 0;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        n += e->d_name[0] != '.';
    closedir(dir);
    return n - 1; /* the directory's own */
}

static double max_descriptors(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (double)limit.rlim_cur : 0;
}

static void write_one(const struct page *p, const char *name, const char *type, const char *help,
                      double value)
{
    write_head(p, name, type, help);
    write_name(p->out, name, "");
    jwriter_double(p->out, value);
    buf_append_char(p->out, '\n');
}

static void write_process(const struct page *p)
{
    double virtual_size, resident;

    memory_bytes(&virtual_size, &resident);
    write_one(p, "process_cpu_seconds_total", TYPE_COUNTER, "User and system time spent.",
              cpu_seconds());
    write_one(p, "process_resident_memory_bytes", TYPE_GAUGE, "Resident memory.", resident);
    write_one(p, "process_virtual_memory_bytes", TYPE_GAUGE, "Virtual memory.", virtual_size);
    write_one(p, "process_open_fds", TYPE_GAUGE, "File descriptors open.", open_descriptors());
    write_one(p, "process_max_fds", TYPE_GAUGE, "File descriptors allowed.", max_descriptors());
    write_one(p, "process_start_time_seconds", TYPE_GAUGE, "Start, in seconds since 1970.",
              start_seconds());
}

void prometheus_write(struct buf *out, bool openmetrics)
{
    const struct page p = {out, openmetrics};

    write_head(&p, "fraiseql_build_info", TYPE_GAUGE, "Version and revision, in labels.");
    buf_append_lit(out, "fraiseql_build_info{version=\"" FRAISEQLD_VERSION
                        "\",revision=\"" FRAISEQLD_REVISION "\"} 1\n");
    write_table(&p);
    write_operations(&p);
    write_process(&p);
    if (openmetrics)
        buf_append_lit(out, "# EOF\n");
}
