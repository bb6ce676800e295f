#include "cli/fallback.h"

#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "daq/bench.h"
#include "daq/fallback.h"

int fallback_if_wanted(struct bench *bench, const char *wanted, const char *attach, struct err *err)
{
	struct err missing = {0};

	if (!wanted)
		return 0;
	if (strcmp(wanted, "sim") != 0)
		return err_set(err, JOSTLE_EINVAL, "--fallback: expected sim, found \"%s\"", wanted);
	if (attach)
		return err_set(err, JOSTLE_EINVAL, "--fallback and --attach: expected one of them");
	const int code = fallback_to_plant(bench, &missing, err);

	if (code == 1) {
		log_warning("%s", missing.text);
		log_warning("**********************************************************************");
		log_warning("***  NO HARDWARE: what follows is simulated, by the plant %s", bench->devices[0]);
		log_warning("**********************************************************************");
	}
	return code < 0 ? code : 0;
}
