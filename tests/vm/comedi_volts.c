/*
 * comedi_volts DEVICE …: what stands on the outputs of cards whose inputs read them back, a line of volts for each card.
 */
#include <comedilib.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		comedi_t *device = comedi_open(argv[i]);
		const int inputs = device ? comedi_find_subdevice_by_type(device, COMEDI_SUBD_AI, 0) : -1;

		if (inputs < 0) {
			comedi_perror(argv[i]);
			return 1;
		}
		const int n = comedi_get_n_channels(device, (unsigned)inputs);
		for (int c = 0; c < n; c++) {
			comedi_range *range = comedi_get_range(device, (unsigned)inputs, (unsigned)c, 0);
			lsampl_t counts = 0;

			if (comedi_data_read(device, (unsigned)inputs, (unsigned)c, 0, AREF_GROUND, &counts) < 0) {
				comedi_perror(argv[i]);
				return 1;
			}
			printf("%s%.3f", c ? " " : "",
			       comedi_to_phys(counts, range,
					      comedi_get_maxdata(device, (unsigned)inputs, (unsigned)c)));
		}
		printf("\n");
		comedi_close(device);
	}
	return 0;
}
