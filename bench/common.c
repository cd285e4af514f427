/*
 * common.c - what the benchmark's programs share.
 *
 * Thread:   one a program.
 * Memory:   until exit.
 * Not here: the operations' SQL (operations.c).
 */
#include "common.h"

#include <dirent.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SIGNATURE_SIZE = 32
};

void fail(const char *what, const char *detail)
{
    fprintf(stderr, "bench: %s: %s\n", what, detail);
    exit(1);
}

void *xgrow(void *old, size_t size)
{
    void *p = realloc(old, size);

    if (!p)
        fail("out of memory", "realloc");
    return p;
}

void *xalloc(size_t size)
{
    return xgrow(NULL, size);
}

struct pool pool_read(const char *path)
{
    struct pool pool = {NULL, 0};
    FILE *f = fopen(path, "r");
    char line[256];
    size_t room = 0;

    if (!f)
        fail("could not open", path);
    while (fgets(line, sizeof line, f)) {
        struct pool_row *row;

        if (pool.count == room) {
            room = room ? room * 2 : 1024;
            pool.rows = xgrow(pool.rows, room * sizeof *pool.rows);
        }
        row = &pool.rows[pool.count];
        if (sscanf(line, "%36s %36s %36s %36s", row->value[0], row->value[1], row->value[2],
                   row->value[3]) != POOL_COLUMNS)
            fail("not four columns", path);
        pool.count++;
    }
    fclose(f);
    if (pool.count == 0)
        fail("nothing in", path);
    return pool;
}

int operation_find(const char *name, size_t len)
{
    for (int i = 0; i < OPERATION_COUNT; i++)
        if (strlen(operations[i].name) == len && memcmp(operations[i].name, name, len) == 0)
            return i;
    return -1;
}

void weights_parse(const char *text, int weights[OPERATION_COUNT])
{
    memset(weights, 0, OPERATION_COUNT * sizeof *weights);
    while (*text) {
        size_t len = strcspn(text, ":,");
        bool mix = len == 3 && memcmp(text, "mix", 3) == 0;
        bool mix_read = len == 8 && memcmp(text, "mix-read", 8) == 0;
        int op = operation_find(text, len);

        if (mix || mix_read) {
            for (int i = 0; i < OPERATION_COUNT; i++)
                weights[i] = mix_read && operations[i].mutation ? 0 : operations[i].weight;
        } else if (op >= 0) {
            weights[op] = text[len] == ':' ? atoi(text + len + 1) : 1;
        } else {
            fail("no such operation", text);
        }
        text += strcspn(text, ",");
        text += *text == ',';
    }
}

int weights_draw(const int weights[OPERATION_COUNT], uint64_t *random)
{
    int sum = 0, draw, i = 0;

    for (int n = 0; n < OPERATION_COUNT; n++)
        sum += weights[n];
    if (sum <= 0)
        fail("no operation has a weight", "mix");
    draw = (int)(random_next(random) % (uint64_t)sum);
    while (draw >= weights[i])
        draw -= weights[i++];
    return i;
}

uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return (x * UINT64_C(2685821657736338717)) >> 16;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t own_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t process_cpu_ns(int pid)
{
    char path[320];
    struct dirent *entry;
    uint64_t sum = 0;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    dir = opendir(path);
    if (!dir)
        return 0;
    while ((entry = readdir(dir))) {
        uint64_t ns;
        FILE *f;

        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", pid, entry->d_name);
        f = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!f)
            continue;
        if (fscanf(f, "%" SCNu64, &ns) == 1)
            sum += ns;
        fclose(f);
    }
    closedir(dir);
    return sum;
}

uint64_t children_cpu_ns(int postmaster)
{
    char path[64];
    uint64_t sum = 0;
    int pid;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", postmaster, postmaster);
    f = fopen(path, "r");
    if (!f)
        return 0;
    while (fscanf(f, "%d", &pid) == 1)
        sum += process_cpu_ns(pid);
    fclose(f);
    return sum;
}

/* base64url without padding; returns the length. */
static size_t encode_base64url(const unsigned char *in, size_t len, char *out)
{
    int n = EVP_EncodeBlock((unsigned char *)out, in, (int)len);

    while (n > 0 && out[n - 1] == '=')
        n--;
    for (int i = 0; i < n; i++)
        out[i] = (char)(out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i]);
    out[n] = '\0';
    return (size_t)n;
}

/* `out` has room for 3/4 of len and 4 bytes more; returns the length or -1. */
static int decode_base64url(const char *in, size_t len, unsigned char *out)
{
    unsigned char padded[TOKEN_ROOM + 4];
    size_t full = (len + 3) / 4 * 4;
    int n;

    if (full > sizeof padded || len % 4 == 1)
        return -1;
    for (size_t i = 0; i < full; i++)
        padded[i] = (unsigned char)(i >= len       ? '='
                                    : in[i] == '-' ? '+'
                                    : in[i] == '_' ? '/'
                                                   : in[i]);
    n = EVP_DecodeBlock(out, padded, (int)full);
    return n < 0 ? -1 : n - (int)(full - len);
}

static void sign(const char *secret, const char *text, size_t len,
                 unsigned char out[SIGNATURE_SIZE])
{
    unsigned int size = SIGNATURE_SIZE;

    if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, len, out,
              &size))
        fail("could not sign", "HMAC");
}

void token_make(const char *secret, const char *tenant, const char *user, char out[TOKEN_ROOM])
{
    static const char header[] = "{\"alg\":\"HS256\",\"kid\":\"bench\",\"typ\":\"JWT\"}";
    unsigned char signature[SIGNATURE_SIZE];
    /* The same for an hour: programs that run one after another send the same tokens. */
    long now = (long)time(NULL) / 3600 * 3600;
    char claims[256];
    size_t n;

    snprintf(claims, sizeof claims, "{\"sub\":\"%s\",\"tenant_id\":\"%s\",\"iat\":%ld,\"exp\":%ld}",
             user, tenant, now - 60, now + 86400);
    n = encode_base64url((const unsigned char *)header, strlen(header), out);
    out[n++] = '.';
    n += encode_base64url((const unsigned char *)claims, strlen(claims), out + n);
    sign(secret, out, n, signature);
    out[n++] = '.';
    encode_base64url(signature, sizeof signature, out + n);
}

bool token_check(const char *secret, const char *token, size_t len, long now,
                 char tenant[UUID_ROOM])
{
    const char *dot1 = memchr(token, '.', len);
    const char *dot2 = dot1 ? memchr(dot1 + 1, '.', len - (size_t)(dot1 + 1 - token)) : NULL;
    unsigned char expected[SIGNATURE_SIZE], claims[TOKEN_ROOM + 4];
    char encoded[64];
    const char *claim;
    size_t n;
    int size;

    if (!dot2 || len >= TOKEN_ROOM)
        return false;
    sign(secret, token, (size_t)(dot2 - token), expected);
    n = encode_base64url(expected, sizeof expected, encoded);
    if (n != len - (size_t)(dot2 + 1 - token) || CRYPTO_memcmp(encoded, dot2 + 1, n) != 0)
        return false;
    size = decode_base64url(dot1 + 1, (size_t)(dot2 - dot1 - 1), claims);
    if (size < 0)
        return false;
    claims[size] = '\0';
    claim = strstr((const char *)claims, "\"exp\":");
    if (!claim || strtol(claim + 6, NULL, 10) < now)
        return false;
    claim = strstr((const char *)claims, "\"tenant_id\":\"");
    if (!claim || strlen(claim + 13) < UUID_ROOM)
        return false;
    memcpy(tenant, claim + 13, UUID_ROOM - 1);
    tenant[UUID_ROOM - 1] = '\0';
    return true;
}
