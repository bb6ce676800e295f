#include "control/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include "base/err.h"

#define TCP "tcp://"
#define IPC "ipc://"

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool is_port(const char *text)
{
	const bool is_number = text[0] && strlen(text) <= 5 && strspn(text, "0123456789") == strlen(text);

	return strcmp(text, "*") == 0 || (is_number && strtoul(text, NULL, 10) <= 65535);
}

/** tcp://ADDRESS:PORT, where names, interfaces and wild cards of addresses are left to nobody's interpretation. */
static bool check_tcp(const char *endpoint, bool *local)
{
	char address[64];
	const char *begin = endpoint + strlen(TCP), *colon = strrchr(begin, ':');
	struct in_addr four;
	struct in6_addr six;

	if (!colon || !is_port(colon + 1) || (size_t)(colon - begin) >= sizeof(address))
		return false;
	size_t n = (size_t)(colon - begin);

	if (n >= 2 && begin[0] == '[' && begin[n - 1] == ']') {
		begin++;
		n -= 2;
	}
	memcpy(address, begin, n);
	address[n] = '\0';
	if (inet_pton(AF_INET, address, &four) == 1) {
		*local = ntohl(four.s_addr) >> 24 == 127;
		return true;
	}
	if (inet_pton(AF_INET6, address, &six) == 1) {
		*local = IN6_IS_ADDR_LOOPBACK(&six);
		return true;
	}
	*local = false;
	return strcmp(address, "*") == 0;
}

/** A path, whose folder's permissions say who may connect. Abstract names have none: any user of the machine may, so none is taken. */
static bool check_ipc(const char *endpoint, bool *local)
{
	const char *path = endpoint + strlen(IPC);

	*local = true;
	return path[0] && path[0] != '@' && strcmp(path, "*") != 0 &&
	       strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path);
}

int endpoint_check(const char *endpoint, bool *local, struct err *err)
{
	if ((begins(endpoint, TCP) && check_tcp(endpoint, local)) ||
	    (begins(endpoint, IPC) && check_ipc(endpoint, local)))
		return 0;
	return err_set(err, JOSTLE_EINVAL,
		       "expected tcp://ADDRESS:PORT with a numeric address and a port up to 65535, or ipc://PATH of at "
		       "most %zu characters, not "
		       "beginning with @, "
		       "found \"%.100s\"",
		       sizeof(((struct sockaddr_un *)0)->sun_path) - 1, endpoint);
}

/** libzmq removes whatever has the path's name before it binds: be sure that it is a socket and nobody listens there. */
static int check_unused(const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat status;

	if (lstat(path, &status))
		return 0;
	if (!S_ISSOCK(status.st_mode))
		return err_set(err, JOSTLE_EBUSY, "%s: expected a socket or nothing, found a file of that name", path);
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_set(err, JOSTLE_EIO, "%s: no socket to be had: %s", path, strerror(errno));
	memcpy(address.sun_path, path, strlen(path));
	const bool listens = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN;

	close(fd);
	return listens ? err_set(err, JOSTLE_EBUSY, "%s: another process listens there", path) : 0;
}

int endpoint_bind(void *socket, const char *endpoint, char *bound, size_t size, struct err *err)
{
	bool local;
	int code = endpoint_check(endpoint, &local, err);

	if (!code && begins(endpoint, IPC))
		code = check_unused(endpoint + strlen(IPC), err);
	if (code)
		return code;
	if (zmq_bind(socket, endpoint))
		return err_set(err, errno == EADDRINUSE ? JOSTLE_EBUSY : JOSTLE_EIO, "%s cannot be bound: %s", endpoint,
			       zmq_strerror(errno));
	if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size))
		return err_set(err, JOSTLE_EIO, "%s: its address cannot be read: %s", endpoint, zmq_strerror(errno));
	return 0;
}
