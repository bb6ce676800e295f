#include "daq/comedi/list.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"

int list_init(struct list *list, struct card *card, struct wire wires[], size_t n, bool input, struct err *err)
{
	*list = (struct list){.card = card, .insns.insns = calloc(n ? n : 1, sizeof(comedi_insn))};
	if (!list->insns.insns)
		return err_set(err, JOSTLE_ENOMEM, "no memory for %zu channels of a card", n);
	for (size_t i = 0; i < n; i++)
		if (wires[i].card == card)
			list->insns.insns[list->insns.n_insns++] = (comedi_insn){
				.insn = input ? INSN_READ : INSN_WRITE,
				.n = 1,
				.data = &wires[i].counts,
				.subdev = wires[i].subdevice,
				.chanspec = wires[i].chanspec,
			};
	return 0;
}

void list_fini(struct list *list)
{
	free(list->insns.insns);
	*list = (struct list){0};
}

int list_run(struct list *list)
{
	if (list->insns.n_insns == 0)
		return 0;
	const int done = comedi_do_insnlist(list->card->device, &list->insns);

	if (done < 0)
		return errno ? errno : EIO;
	/* The kernel stops at the first that fails. */
	return (unsigned)done == list->insns.n_insns ? 0 : EIO;
}

int list_run_each(struct list *list)
{
	int first = 0;

	for (unsigned k = 0; k < list->insns.n_insns; k++) {
		const int why =
			comedi_do_insn(list->card->device, &list->insns.insns[k]) < 0 ? (errno ? errno : EIO) : 0;

		if (why && (!first || first == EACCES))
			first = why;
	}
	return first;
}

int list_time(struct list *list, size_t turns, double *quickest_ns, double *usual_ns)
{
	int64_t *took_ns = calloc(turns, sizeof(*took_ns));
	int code = took_ns ? 0 : ENOMEM;

	for (size_t i = 0; i < turns && !code; i++) {
		const int64_t begin_ns = clock_now_ns();

		code = list_run(list);
		took_ns[i] = clock_now_ns() - begin_ns;
	}
	if (!code) {
		qsort(took_ns, turns, sizeof(*took_ns), clock_shorter);
		*quickest_ns = (double)took_ns[0];
		*usual_ns = (double)took_ns[turns - 1 - turns / 10];
	}
	free(took_ns);
	return code;
}
