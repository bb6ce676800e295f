/*
 * Serial ports in a build without libserialport: there are none.
 */
#include "base/err.h"
#include "daq/serial/port.h"

int serial_port_open(struct serial_port *port, const char *path, int baud, struct err *err)
{
	(void)baud;
	*port = (struct serial_port){.fd = -1};
	return err_set(err, JOSTLE_ENODEV, "%s: this program was built without libserialport", path);
}

void serial_port_close(struct serial_port *port)
{
	(void)port;
}

void serial_port_drop(struct serial_port *port)
{
	(void)port;
}

int serial_port_write(struct serial_port *port, const uint8_t bytes[], size_t n, int64_t until_ns)
{
	(void)port, (void)bytes, (void)n, (void)until_ns;
	return JOSTLE_EIO;
}

int serial_port_read(struct serial_port *port, uint8_t bytes[], size_t size, int64_t until_ns)
{
	(void)port, (void)bytes, (void)size, (void)until_ns;
	return JOSTLE_EIO;
}
