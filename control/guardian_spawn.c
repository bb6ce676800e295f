#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "control/guardian.h"

/** The environment with one word more, which the caller frees; the words stay where they are. */
static char **with_word(char *word)
{
	size_t n = 0;

	while (environ[n])
		n++;
	char **all = calloc(n + 2, sizeof(*all));
	if (!all)
		return NULL;
	all[0] = word; /* first: it stands before another of its name */
	memcpy(all + 1, environ, n * sizeof(*all));
	return all;
}

/** Nothing of the loop's process goes with it but its standard error. Returns 0 or an errno. */
static int describe(posix_spawn_file_actions_t *files, posix_spawnattr_t *attributes)
{
	const short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	sigset_t none, all;
	int why;

	sigemptyset(&none);
	sigfillset(&all);
	why = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	why = why ? why : posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	why = why ? why : posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
	why = why ? why : posix_spawnattr_setsigmask(attributes, &none);
	why = why ? why : posix_spawnattr_setsigdefault(attributes, &all);
	return why ? why : posix_spawnattr_setflags(attributes, flags);
}

int guardian_spawn(const char *name, pid_t *pid, struct err *err)
{
	/* What this program was started from, even if another build stands at its path by now: both must read one page. */
	static const char self[] = "/proc/self/exe";
	static char program[] = "jostle", command[] = "guardian";
	static char one_thread[] = "OPENBLAS_NUM_THREADS=1"; /* it computes nothing: less memory to lock */
	char *const arguments[] = {program, command, (char *)name, NULL};
	char **environment = with_word(one_thread);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int why;

	if (!environment)
		return err_set(err, JOSTLE_ENOMEM, "no memory to start a guardian");
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	why = describe(&files, &attributes);
	why = why ? why : posix_spawn(pid, self, &files, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	free(environment);
	return why ? err_set(err, JOSTLE_EIO, "the guardian cannot be started: %s", strerror(why)) : 0;
}
