#include "control/curve.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/err.h"
#include "base/yaml.h"

#define MAX_FILE_BYTES (CURVE_MAX_CLIENTS * 256)
#define MAX_WORDS      4
#define SECRET_MARK    "secret"

/** Letters, digits and - _ . @: a name is written into logs and files. */
static bool is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@";

	return name[0] && strlen(name) < CURVE_MAX_NAME && strspn(name, allowed) == strlen(name);
}

/** Cut a line into its words, in place; returns how many, MAX_WORDS for more. A comment has none. */
static size_t split_words(char *line, char *words[MAX_WORDS])
{
	size_t n = 0;
	char *rest = line;

	if (line[0] == '#')
		return 0;
	while (n < MAX_WORDS && (words[n] = strtok_r(rest, " \t\r", &rest)))
		n++;
	return n;
}

/** The key that a word spells. zmq_z85_decode() looks at no more than the length before it writes. */
static bool decode_key(uint8_t key[CURVE_KEY_BYTES], const char *word)
{
	return strlen(word) == CURVE_KEY_TEXT - 1 && zmq_z85_decode(key, word);
}

static int write_line(const char *path, mode_t mode, const char *line, struct err *err)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	const size_t size = strlen(line);
	ssize_t n;

	if (fd < 0)
		return err_at(err, JOSTLE_EIO, path, 0, 0, "cannot be made: %s", strerror(errno));
	n = write(fd, line, size);
	const bool whole = n == (ssize_t)size && fsync(fd) == 0;
	const int reason = errno;

	close(fd);
	if (whole)
		return 0;
	unlink(path);
	return err_at(err, JOSTLE_EIO, path, 0, 0, "cannot be written: %s", n >= 0 ? "no room" : strerror(reason));
}

int curve_make(const char *name, const char *prefix, struct err *err)
{
	char public_key[CURVE_KEY_TEXT], secret_key[CURVE_KEY_TEXT], path[1024], line[256];
	int code;

	if (!is_name(name))
		return err_set(err, JOSTLE_EINVAL,
			       "expected a name of 1 to %d letters, digits and - _ . @, found \"%.80s\"",
			       CURVE_MAX_NAME - 1, name);
	if (strlen(prefix) + sizeof(".pub") > sizeof(path))
		return err_set(err, JOSTLE_EINVAL, "expected a path of at most %zu characters, found %zu",
			       sizeof(path) - sizeof(".pub"), strlen(prefix));
	if (zmq_curve_keypair(public_key, secret_key))
		return err_set(err, JOSTLE_ENODEV, "this libzmq makes no CURVE keys: %s", zmq_strerror(errno));
	snprintf(path, sizeof(path), "%s.key", prefix);
	snprintf(line, sizeof(line), "%s  " SECRET_MARK "  %s\n", name, secret_key);
	code = write_line(path, 0600, line, err);
	if (!code) {
		snprintf(path, sizeof(path), "%s.pub", prefix);
		snprintf(line, sizeof(line), "%s  %s\n", name, public_key);
		code = write_line(path, 0644, line, err);
		snprintf(path, sizeof(path), "%s.key", prefix);
		if (code)
			unlink(path);
	}
	sodium_memzero(secret_key, sizeof(secret_key));
	sodium_memzero(line, sizeof(line));
	return code;
}

int curve_load_secret(uint8_t key[CURVE_KEY_BYTES], const char *path, struct err *err)
{
	char *text = NULL, *words[MAX_WORDS], *rest, *line;
	struct stat status;
	bool found = false;
	int code = read_text_file(path, MAX_FILE_BYTES, &text, err), number = 0;

	if (code)
		return code;
	if (stat(path, &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO))) {
		code = err_at(err, JOSTLE_EINVAL, path, 0, 0,
			      "expected a secret key that only its owner may read, found mode %03o: chmod 600 mends it",
			      (unsigned)status.st_mode & 0777U);
		goto done;
	}
	rest = text;
	while (!code && (line = strsep(&rest, "\n"))) {
		const size_t n = split_words(line, words);

		number++;
		if (n == 0)
			continue;
		if (found || n != 3 || !is_name(words[0]) || strcmp(words[1], SECRET_MARK) != 0 ||
		    !decode_key(key, words[2]))
			code = err_at(err, JOSTLE_EFORMAT, path, number, 0,
				      "expected one line \"NAME  " SECRET_MARK "  KEY\", as jostle keygen writes it");
		found = true;
	}
	if (!code && !found)
		code = err_at(err, JOSTLE_EFORMAT, path, 0, 0, "expected a secret key, found none");
done:
	sodium_memzero(text, strlen(text));
	free(text);
	return code;
}

static int add_client(struct curve_list *list, const char *path, int line, size_t n_words, char *words[MAX_WORDS],
		      struct err *err)
{
	struct curve_client client = {0};

	if (n_words == 3 && strcmp(words[1], SECRET_MARK) == 0)
		return err_at(err, JOSTLE_EFORMAT, path, line, 0,
			      "expected public keys, found the secret key of %.63s: its place is with its owner",
			      words[0]);
	if (n_words != 2 || !is_name(words[0]) || !decode_key(client.key, words[1]))
		return err_at(err, JOSTLE_EFORMAT, path, line, 0,
			      "expected \"NAME  KEY\", a key being %d characters of Z85", CURVE_KEY_TEXT - 1);
	if (list->n == CURVE_MAX_CLIENTS)
		return err_at(err, JOSTLE_EFORMAT, path, line, 0, "expected at most %d clients, found more",
			      CURVE_MAX_CLIENTS);
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->client[i].name, words[0]) == 0 ||
		    memcmp(list->client[i].key, client.key, sizeof(client.key)) == 0)
			return err_at(err, JOSTLE_EFORMAT, path, line, 0,
				      "expected every name and key once, found those of %s again",
				      list->client[i].name);
	snprintf(client.name, sizeof(client.name), "%s", words[0]);
	list->client[list->n++] = client;
	return 0;
}

int curve_list_load(struct curve_list *list, const char *path, struct err *err)
{
	char *text = NULL, *words[MAX_WORDS], *rest, *line;
	int code = read_text_file(path, MAX_FILE_BYTES, &text, err), number = 0;

	*list = (struct curve_list){0};
	if (code)
		return code;
	list->client = calloc(CURVE_MAX_CLIENTS, sizeof(*list->client));
	if (!list->client)
		code = err_at(err, JOSTLE_ENOMEM, path, 0, 0, "no memory for a list of clients");
	rest = text;
	while (!code && (line = strsep(&rest, "\n"))) {
		const size_t n = split_words(line, words);

		number++;
		if (n > 0)
			code = add_client(list, path, number, n, words, err);
	}
	if (!code && list->n == 0)
		code = err_at(err, JOSTLE_EFORMAT, path, 0, 0, "expected public keys of clients, found none");
	free(text);
	if (code)
		curve_list_fini(list);
	return code;
}

void curve_list_fini(struct curve_list *list)
{
	free(list->client);
	*list = (struct curve_list){0};
}

const char *curve_list_find(const struct curve_list *list, const void *key, size_t size)
{
	if (size != CURVE_KEY_BYTES)
		return NULL;
	for (size_t i = 0; i < list->n; i++)
		if (sodium_memcmp(list->client[i].key, key, CURVE_KEY_BYTES) == 0)
			return list->client[i].name;
	return NULL;
}
