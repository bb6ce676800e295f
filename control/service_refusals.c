/*
 * What is written down of commands that the loop did not carry out: a client that asks for nothing else, as fast as it can, must not fill
 * the disk. What is left out is counted, and the number is written down.
 */
#include <stdio.h>
#include <string.h>

#include "control/service_parts.h"

#define A_SECOND  10 /* such commands of one client */
#define SECOND_NS INT64_C(1000000000)

static void write_number(struct service *service, struct refusals *row)
{
	char text[96];

	if (row->n_left_out == 0)
		return;
	snprintf(text, sizeof(text), "%llu more within a second, left out", (unsigned long long)row->n_left_out);
	recorder_command(service->setup.recorder, 0, row->client, "refused, or at once", text);
	row->n_left_out = 0;
}

/** The client's row, or the one that has been quiet for longest. */
static struct refusals *find(struct service *service, const char *client)
{
	struct refusals *oldest = service->refusals;

	for (struct refusals *row = service->refusals; row < service->refusals + MAX_REFUSALS; row++) {
		if (strcmp(row->client, client) == 0)
			return row;
		if (row->since_ns < oldest->since_ns)
			oldest = row;
	}
	write_number(service, oldest);
	*oldest = (struct refusals){0};
	snprintf(oldest->client, sizeof(oldest->client), "%s", client);
	return oldest;
}

bool refusals_count(struct service *service, const char *client, int64_t now_ns)
{
	struct refusals *row = find(service, client);

	if (now_ns - row->since_ns >= SECOND_NS) {
		write_number(service, row);
		row->since_ns = now_ns;
		row->n = 0;
	}
	if (row->n < A_SECOND) {
		row->n++;
		return true;
	}
	row->n_left_out++;
	return false;
}

void refusals_look(struct service *service, int64_t now_ns, bool ending)
{
	for (struct refusals *row = service->refusals; row < service->refusals + MAX_REFUSALS; row++)
		if (ending || now_ns - row->since_ns >= SECOND_NS)
			write_number(service, row);
}
