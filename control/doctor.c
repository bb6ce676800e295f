#include "control/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const verdict_names[] = {[DOCTOR_GOOD] = "good", [DOCTOR_NOTE] = "note", [DOCTOR_FAILED] = "failed"};

void doctor_examine(const struct doctor_setup *setup, struct doctor_report *report)
{
	*report = (struct doctor_report){0};
	for (size_t i = 0; check_registry[i]; i++)
		check_registry[i]->run(setup, report);
}

/** Where a finding of such weight goes: the next free place, else that of the last finding that weighs least, if less. */
static struct doctor_finding *place(struct doctor_report *report, enum doctor_verdict verdict)
{
	struct doctor_finding *least = NULL;

	if (report->n < DOCTOR_MAX_FINDINGS)
		return &report->finding[report->n++];
	for (size_t i = 0; i < report->n; i++)
		if (report->finding[i].verdict < verdict && (!least || report->finding[i].verdict <= least->verdict))
			least = &report->finding[i];
	return least;
}

void doctor_find(struct doctor_report *report, const char *check, enum doctor_verdict verdict, const char *remedy,
		 const char *format, ...)
{
	struct doctor_finding *finding = place(report, verdict);
	va_list arguments;

	if (!finding)
		return;
	*finding = (struct doctor_finding){.check = check, .verdict = verdict};
	snprintf(finding->remedy, sizeof(finding->remedy), "%s", remedy);
	va_start(arguments, format);
	vsnprintf(finding->found, sizeof(finding->found), format, arguments);
	va_end(arguments);
}

size_t doctor_failed(const struct doctor_report *report)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n; i++)
		n += report->finding[i].verdict == DOCTOR_FAILED;
	return n;
}

char *doctor_text(const struct doctor_report *report)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < report->n; i++) {
		const struct doctor_finding *finding = &report->finding[i];

		fprintf(out, "%-7s%-12s%s%s%s\n", verdict_names[finding->verdict], finding->check, finding->found,
			finding->remedy[0] ? "; mend: " : "", finding->remedy);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
