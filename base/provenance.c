#include "base/provenance.h"

#include <stddef.h>

#include "base/h5.h"
#include "version.h" /* made at build time by version.cmake */

const char *jostle_version(void)
{
	return JOSTLE_VERSION;
}

int provenance_write(const struct h5_file *file, const struct provenance *provenance, struct err *err)
{
	const struct {
		const char *name, *text;
	} texts[] = {
		{"version", provenance->version ? provenance->version : jostle_version()},
		{"command", provenance->command},
		{"backend", provenance->backend},
		{"task", provenance->task},
		{"bench", provenance->bench},
		{"plant", provenance->plant},
		{"protocol_checksum", provenance->protocol_checksum},
		{"calibration_checksum", provenance->calibration_checksum},
	};
	int code = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !code; i++)
		if (texts[i].text)
			code = h5_set_text(file, "/", texts[i].name, texts[i].text, err);
	if (!code)
		code = h5_set_u64(file, "/", "simulated", provenance->simulated, err);
	if (!code)
		code = h5_set_u64(file, "/", "seed", provenance->seed, err);
	return code;
}
