/*
 * health.c - the subcommand that asks a running daemon whether it is well.
 *
 * Thread:   main; a small blocking HTTP client, for containers without curl.
 */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/commands.h"

#include "base/deadline.h"
#include "config/options.h"

static const char usage[] =
    "usage: fraiseqld health [--live|--ready] [--url URL] [--timeout DURATION]\n"
    "\n"
    "Ask a running daemon, and exit with 0 if it is well, 1 if not.\n"
    "\n"
    "      --ready             may it get requests? (default)\n"
    "      --live              does it run at all?\n"
    "      --url URL           http://host:port[/path]; default: server.admin_listen\n"
    "                          of the configuration\n"
    "  -c, --config FILE       configuration, as for \"serve\"\n"
    "      --timeout DURATION  for everything (default 3s)\n"
    "  -h, --help              show this text\n";

enum flag {
    FLAG_LIVE = 256,
    FLAG_READY,
    FLAG_URL,
    FLAG_TIMEOUT,
};

static const struct option flags[] = {
    {"live",    no_argument,       NULL, FLAG_LIVE   },
    {"ready",   no_argument,       NULL, FLAG_READY  },
    {"url",     required_argument, NULL, FLAG_URL    },
    {"timeout", required_argument, NULL, FLAG_TIMEOUT},
    {"config",  required_argument, NULL, 'c'         },
    {"help",    no_argument,       NULL, 'h'         },
    {NULL,      0,                 NULL, 0           },
};

struct target {
    struct str address; /* "host:port", "[v6]:port", "unix:/path" */
    struct str path;
    struct deadline until;
};

/* False: too late. */
static bool wait_for(int fd, short events, struct deadline until)
{
    struct pollfd p = {.fd = fd, .events = events};
    int64_t left = deadline_left_ms(until);

    return left > 0 && poll(&p, 1, (int)left) == 1;
}

/* -1: could not. */
static int connect_to(const struct sockaddr *address, socklen_t size, struct deadline until)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int problem = 0;
    socklen_t problem_size = sizeof(problem);

    if (fd < 0)
        return -1;
    if (connect(fd, address, size) == 0)
        return fd;
    if (errno == EINPROGRESS && wait_for(fd, POLLOUT, until) &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &problem_size) == 0 && problem == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_unix(struct str path, struct deadline until)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (path.len >= sizeof(address.sun_path))
        return -1;
    memcpy(address.sun_path, path.data, path.len);
    return connect_to((const struct sockaddr *)&address, sizeof(address), until);
}

/* Every address is somewhere; where a server listens on all, ask the nearest. */
static const char *reachable(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "*") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static int connect_target(const struct target *t)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    char host[256], port[16];
    struct str a = t->address;
    size_t colon = a.len;
    int fd = -1;

    if (str_starts(a, STR("unix:")))
        return connect_unix(str_sub(a, 5, SIZE_MAX), t->until);
    while (colon > 0 && a.data[colon - 1] != ':' && a.data[colon - 1] != ']')
        colon--;
    if (colon == 0 || a.data[colon - 1] != ':')
        colon = a.len + 1; /* no port */
    snprintf(port, sizeof(port), "%.*s",
             STR_ARG(colon <= a.len ? str_sub(a, colon, SIZE_MAX) : STR("80")));
    a = str_sub(a, 0, colon - 1);
    if (str_starts(a, STR("[")) && str_ends(a, STR("]")))
        a = str_sub(a, 1, a.len - 2);
    snprintf(host, sizeof(host), "%.*s", STR_ARG(a));
    if (getaddrinfo(reachable(host), port, &hints, &found) != 0)
        return -1;
    for (const struct addrinfo *i = found; i != NULL && fd < 0; i = i->ai_next)
        fd = connect_to(i->ai_addr, i->ai_addrlen, t->until);
    freeaddrinfo(found);
    return fd;
}

/* The status code, or 0. */
static int ask(int fd, const struct target *t)
{
    bool named = !str_starts(t->address, STR("unix:"));
    char request[1024], reply[64];
    size_t got = 0;
    int len = snprintf(request, sizeof(request),
                       "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n\r\n",
                       STR_ARG(t->path), STR_ARG(named ? t->address : STR("localhost")));
    int code;

    /* Less than a socket's buffer: one write takes it whole. */
    if (len >= (int)sizeof(request) || send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        return 0;
    while (got < sizeof(reply) - 1 && memchr(reply, '\r', got) == NULL) {
        ssize_t n;

        if (!wait_for(fd, POLLIN, t->until))
            return 0;
        n = read(fd, reply + got, sizeof(reply) - 1 - got);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    reply[got] = '\0';
    return sscanf(reply, "HTTP/1.%*1[01] %3d", &code) == 1 ? code : 0;
}

static int run(const struct target *t)
{
    int fd = connect_target(t);
    int code = 0;

    if (fd >= 0) {
        code = ask(fd, t);
        close(fd);
    }
    if (code == 200)
        return EXIT_SUCCESS;
    if (fd < 0)
        fprintf(stderr, "fraiseqld health: could not connect to %.*s\n", STR_ARG(t->address));
    else if (code == 0)
        fprintf(stderr, "fraiseqld health: no answer from %.*s\n", STR_ARG(t->address));
    else
        fprintf(stderr, "fraiseqld health: %.*s answers with status %d\n", STR_ARG(t->path), code);
    return EXIT_FAILURE;
}

/* http://host:port/path; false if it is no such thing. */
static bool split_url(struct str url, struct target *t)
{
    size_t slash;

    if (!str_starts(url, STR("http://")))
        return false;
    url = str_sub(url, 7, SIZE_MAX);
    slash = str_find(url, '/');
    t->address = str_sub(url, 0, slash);
    if (slash < url.len)
        t->path = str_sub(url, slash, SIZE_MAX);
    for (size_t i = 0; i < url.len; i++)
        if (url.data[i] <= ' ' || url.data[i] >= 0x7f)
            return false;
    return t->address.len > 0;
}

/* Where the configuration says; EX_OK or what to exit with. */
static int configured_address(struct command_config *cc, struct target *t)
{
    int status = command_config_load(cc);

    if (status != EX_OK) {
        command_print_errors(&cc->errs);
        return status;
    }
    t->address =
        cc->config->admin_listen.len > 0 ? cc->config->admin_listen : cc->config->listen.items[0];
    if (str_starts(t->address, STR("systemd:")))
        return command_usage("fraiseqld health",
                             "where \"%.*s\" listens is known to systemd only: name it with --url",
                             STR_ARG(t->address));
    if (cc->config->admin_listen.len == 0 && cc->config->tls_enabled &&
        !str_starts(t->address, STR("unix:")))
        return command_usage("fraiseqld health",
                             "server.listen speaks TLS only: set server.admin_listen");
    return EX_OK;
}

int command_health(int argc, char **argv)
{
    struct target t = {.path = STR_INIT("/readyz")};
    struct str url = STR("");
    uint64_t timeout_ms = 3000;
    struct command_config cc;
    int status = EX_OK, c;
    bool help = false;

    command_config_init(&cc, argc);
    while (status == EX_OK && !help && (c = getopt_long(argc, argv, "c:h", flags, NULL)) != -1) {
        if (c == FLAG_LIVE || c == FLAG_READY)
            t.path = c == FLAG_LIVE ? STR("/livez") : STR("/readyz");
        else if (c == FLAG_URL)
            url = str_of(optarg);
        else if (c == 'c')
            cc.from.file = optarg;
        else if (c == 'h')
            help = true;
        else if (c != FLAG_TIMEOUT || !option_duration(str_of(optarg), &timeout_ms) ||
                 timeout_ms > 3600000)
            status = command_usage(argv[0], "wrong arguments");
    }
    if (help)
        fputs(usage, stdout);
    else if (status == EX_OK && optind < argc)
        status = command_usage(argv[0], "unexpected argument \"%s\"", argv[optind]);
    else if (status == EX_OK && url.len > 0 && !split_url(url, &t))
        status = command_usage(argv[0], "\"%s\" is not an http:// URL", url.data);
    else if (status == EX_OK && url.len == 0)
        status = configured_address(&cc, &t);
    if (status == EX_OK && !help) {
        t.until = deadline_in_ms(timeout_ms);
        status = run(&t);
    }
    command_config_fini(&cc);
    return status;
}
