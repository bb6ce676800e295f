/*
 * The protocol's file: what is written comes back bit for bit; what was tampered with does not come back at all.
 */
#include "file_support.h"
#include "support/hdf5_leaks.h"
#include "term_cases.h"

#include "base/provenance.h"
#include "protocols/knots.h"
#include "protocols/protocol.h"

#define N_KNOTS 6

static const char *const specs[] = {"onsite-power powers=1-4", "bilinear range=all",
				    "pair-power exponents=2,1 range=1"};

static const struct provenance provenance = {.command = "train", .backend = "ensemble", .simulated = true, .seed = 7};

struct fixture {
	struct protocol protocol;
	char directory[256], good[300], bad[300];
};

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	struct network network;
	struct err err = {0};
	double t[N_KNOTS];

	assert_non_null(fx);
	strcpy(fx->directory, "/tmp/jostle-protocol-XXXXXX");
	assert_non_null(mkdtemp(fx->directory));
	snprintf(fx->good, sizeof(fx->good), "%s/good.h5", fx->directory);
	snprintf(fx->bad, sizeof(fx->bad), "%s/bad.h5", fx->directory);

	knots_geometric(0.01, 4.0, N_KNOTS, t);
	assert_int_equal(network_init(&network, 3, 2, specs, 3, &err), 0);
	network.variables[2].mobility = 1.0 / 3.0;
	network.variables[3].temperature = 0.7;
	network.variables[4].role = VARIABLE_HIDDEN;
	assert_int_equal(protocol_init(&fx->protocol, &network, t, N_KNOTS, &err), 0);
	for (size_t k = 0; k < N_KNOTS * fx->protocol.network.n_parameters; k++)
		fx->protocol.theta[k] = any_number(40, k) / 3.0;
	fx->protocol.theta[5] = 0x1p-1074; /* the smallest number there is */
	fx->protocol.theta[6] = -0.0;
	for (size_t k = 0; k < N_KNOTS; k++)
		fx->protocol.wall[k] =
			(struct wall){.position = 3.1 + (double)k / 7.0, .stiffness = 10.0 / (double)(k + 1)};
	fx->protocol.readout_weight = 1.0 / 3.0;
	strcpy(fx->protocol.rule, "denoising, adam");
	fx->protocol.task = strdup("kind: two-gaussians\n# \xce\xbc = 1.2\n");
	assert_int_equal(protocol_save(&fx->protocol, fx->good, &provenance, &err), 0);
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;

	protocol_fini(&fx->protocol);
	unlink(fx->good);
	unlink(fx->bad);
	rmdir(fx->directory);
	free(fx);
	return 0;
}

static bool same_bytes(const void *a, const void *b, size_t size)
{
	return memcmp(a, b, size) == 0;
}

/** Whether two protocols hold the same bits, the texts outside the checksum left out. */
static bool same_content(const struct protocol *a, const struct protocol *b)
{
	const struct network *m = &a->network, *n = &b->network;

	if (m->nx != n->nx || m->ny != n->ny || m->n_variables != n->n_variables || m->n_terms != n->n_terms ||
	    m->n_parameters != n->n_parameters || a->n_knots != b->n_knots)
		return false;
	for (size_t i = 0; i < m->n_terms; i++)
		if (strcmp(m->specs[i], n->specs[i]) != 0)
			return false;
	for (size_t i = 0; i < m->n_variables; i++)
		if (m->variables[i].role != n->variables[i].role ||
		    m->variables[i].mobility != n->variables[i].mobility ||
		    m->variables[i].temperature != n->variables[i].temperature)
			return false;
	return same_bytes(a->t, b->t, a->n_knots * sizeof(double)) &&
	       same_bytes(a->theta, b->theta, a->n_knots * m->n_parameters * sizeof(double)) &&
	       same_bytes(a->wall, b->wall, a->n_knots * sizeof(struct wall)) &&
	       same_bytes(&a->readout_weight, &b->readout_weight, sizeof(double)) && strcmp(a->bath, b->bath) == 0 &&
	       strcmp(a->checksum, b->checksum) == 0;
}

/* catches: a field that is not written, one stored in single precision, a wall whose columns are swapped */
static void a_protocol_comes_back_bit_for_bit(void **state)
{
	struct fixture *fx = *state;
	struct protocol back;
	struct err err = {0};

	if (protocol_load(&back, fx->good, &err))
		fail_msg("%s", err.text);
	assert_true(same_content(&fx->protocol, &back));
	assert_string_equal(back.rule, "denoising, adam");
	assert_string_equal(back.bath, "white");
	assert_string_equal(back.task, fx->protocol.task);
	assert_int_equal(strlen(back.checksum), HASH_HEX_SIZE - 1);
	protocol_fini(&back);
}

/* catches: a time stamp or memory that was never set, in the file; an order of objects that varies */
static void equal_protocols_give_equal_files(void **state)
{
	struct fixture *fx = *state;
	struct protocol back;
	struct err err = {0};

	assert_int_equal(protocol_load(&back, fx->good, &err), 0);
	assert_int_equal(protocol_save(&back, fx->bad, &provenance, &err), 0);
	const struct bytes a = bytes_read(fx->good), b = bytes_read(fx->bad);
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.data, b.data, a.size);
	free(a.data);
	free(b.data);
	protocol_fini(&back);
}

/* catches: a checksum of the sizes alone, or one that leaves a field out */
static void every_field_of_the_content_changes_the_checksum(void **state)
{
	struct fixture *fx = *state;
	double *fields[] = {&fx->protocol.t[2],
			    &fx->protocol.theta[N_KNOTS * fx->protocol.network.n_parameters - 1],
			    &fx->protocol.wall[N_KNOTS - 1].position,
			    &fx->protocol.wall[0].stiffness,
			    &fx->protocol.readout_weight,
			    &fx->protocol.network.variables[5].mobility,
			    &fx->protocol.network.variables[5].temperature};
	char before[HASH_HEX_SIZE];

	memcpy(before, fx->protocol.checksum, sizeof(before));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const double kept = *fields[i];

		*fields[i] = nextafter(kept, INFINITY);
		protocol_seal(&fx->protocol);
		assert_string_not_equal(fx->protocol.checksum, before);
		*fields[i] = kept;
	}
	strcpy(fx->protocol.bath, "whitf");
	protocol_seal(&fx->protocol);
	assert_string_not_equal(fx->protocol.checksum, before);
	strcpy(fx->protocol.bath, "white");
	protocol_seal(&fx->protocol);
	assert_string_equal(fx->protocol.checksum, before);
}

/* catches: a file read past its end, or half of one taken for a whole */
static void a_truncated_file_is_refused_wherever_it_ends(void **state)
{
	struct fixture *fx = *state;
	const struct bytes whole = bytes_read(fx->good);

	bytes_write(fx->bad, whole.data, whole.size);
	for (size_t size = (whole.size - 1) / 97 * 97; size < whole.size; size -= 97) { /* wraps round below 0 */
		struct protocol back;
		struct err err = {0};

		assert_int_equal(truncate(fx->bad, (off_t)size), 0);
		const int status = protocol_load(&back, fx->bad, &err);
		if (status == 0)
			fail_msg("%zu of %zu bytes were taken for a protocol", size, whole.size);
		assert_string_equal(err.file[0] ? err.file : strstr(err.text, fx->bad) ? fx->bad : "", fx->bad);
	}
	free(whole.data);
}

/* catches: content that differs from what was written and is taken for it; a crash of any kind */
static void a_flipped_byte_is_found_or_changes_nothing(void **state)
{
	struct fixture *fx = *state;
	const struct bytes whole = bytes_read(fx->good);
	size_t n_found = 0, n_flipped = 0;

	bytes_write(fx->bad, whole.data, whole.size);
	for (size_t at = 0; at < whole.size; at += 3, n_flipped++) {
		struct protocol back;
		struct err err = {0};

		poke(fx->bad, at, (unsigned char)(whole.data[at] ^ (1u << at % 8)));
		if (protocol_load(&back, fx->bad, &err)) {
			n_found++;
		} else {
			if (!same_content(&fx->protocol, &back))
				fail_msg("byte %zu was flipped and other content loaded", at);
			protocol_fini(&back);
		}
		poke(fx->bad, at, whole.data[at]);
	}
	/* Most of the file is content, and flips of content must be found. */
	assert_true(n_found > n_flipped / 2);
	free(whole.data);
}

static void huge_nx(hid_t file)
{
	put_u64(file, "network", "nx", UINT64_MAX);
}

static void zero_ny(hid_t file)
{
	put_u64(file, "network", "ny", 0);
}

static void another_shape(hid_t file)
{
	put_u64(file, "network", "nx", 2);
	put_u64(file, "network", "ny", 3);
}

static void wrong_nx(hid_t file)
{
	put_u64(file, "network", "nx", 4);
}

static void signed_nx(hid_t file)
{
	const int64_t nx = 3;

	put_attribute(file, "network", "nx", H5T_NATIVE_INT64, &nx);
}

static void nan_theta(hid_t file)
{
	put_number(file, "knots/theta", 3, NAN);
}

static void infinite_theta(hid_t file)
{
	put_number(file, "knots/theta", 3, -INFINITY);
}

static void changed_theta(hid_t file)
{
	put_number(file, "knots/theta", 4, 0.5);
}

static void descending_knots(hid_t file)
{
	put_number(file, "knots/t", 2, 0.001);
}

static void equal_knots(hid_t file)
{
	put_number(file, "knots/t", 0, 0.0);
}

static void zero_wall(hid_t file)
{
	put_number(file, "knots/wall", 4, 0.0);
}

static void negative_stiffness(hid_t file)
{
	put_number(file, "knots/wall", 5, -1.0);
}

static void newer_version(hid_t file)
{
	put_u64(file, "/", "format_version", 2);
}

static void another_format(hid_t file)
{
	put_text(file, "/", "format", "jostle-calibration");
}

static void no_format(hid_t file)
{
	H5Adelete(file, "format");
}

static void wrong_checksum(hid_t file)
{
	put_text(file, "/", "checksum", "0000000000000000000000000000000000000000000000000000000000000000");
}

static void long_checksum(hid_t file)
{
	put_text(file, "/", "checksum", "00000000000000000000000000000000000000000000000000000000000000000000000000");
}

static void no_theta(hid_t file)
{
	drop(file, "knots/theta");
}

static void no_network(hid_t file)
{
	drop(file, "network");
}

static void no_role(hid_t file)
{
	drop(file, "network/role");
}

static void one_knot(hid_t file)
{
	put_dataset(file, "knots/t", 1, (const hsize_t[]){1}, H5T_IEEE_F64LE, 0);
}

static void many_knots(hid_t file)
{
	put_dataset(file, "knots/t", 1, (const hsize_t[]){1000000000000}, H5T_IEEE_F64LE, 1);
}

static void claimed_theta(hid_t file)
{
	put_dataset(file, "knots/theta", 2, (const hsize_t[]){1000000000, 1000000000}, H5T_IEEE_F64LE, 1);
}

static void empty_theta(hid_t file)
{
	put_dataset(file, "knots/theta", 2, (const hsize_t[]){N_KNOTS, 53}, H5T_IEEE_F64LE, 1);
}

static void whole_number_theta(hid_t file)
{
	put_dataset(file, "knots/theta", 2, (const hsize_t[]){N_KNOTS, 53}, H5T_STD_I64LE, 0);
}

static void flat_theta(hid_t file)
{
	put_dataset(file, "knots/theta", 1, (const hsize_t[]){N_KNOTS * 53}, H5T_IEEE_F64LE, 0);
}

static void linked_theta(hid_t file)
{
	drop(file, "knots/theta");
	assert_true(H5Lcreate_external("elsewhere.h5", "/knots/theta", file, "knots/theta", H5P_DEFAULT, H5P_DEFAULT) >=
		    0);
}

static void theta_that_is_a_group(hid_t file)
{
	drop(file, "knots/theta");
	H5Gclose(H5Gcreate2(file, "knots/theta", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}

static void more_variables(hid_t file)
{
	put_dataset(file, "network/mobility", 1, (const hsize_t[]){7}, H5T_IEEE_F64LE, 0);
}

static void zero_mobility(hid_t file)
{
	put_number(file, "network/mobility", 1, 0.0);
}

static void negative_temperature(hid_t file)
{
	put_number(file, "network/temperature", 1, -0.1);
}

static void unknown_role(hid_t file)
{
	const hid_t dataset = H5Dopen2(file, "network/role", H5P_DEFAULT);
	const uint64_t roles[6] = {0, 0, 0, 0, 3000000000000, 0};

	assert_true(H5Dwrite(dataset, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, roles) >= 0);
	H5Dclose(dataset);
}

static void unknown_term(hid_t file)
{
	put_text(file, "network", "terms", "springs range=1");
}

static void bad_setting(hid_t file)
{
	put_text(file, "network", "terms", "bilinear range=-3");
}

static void no_terms(hid_t file)
{
	put_text(file, "network", "terms", "");
}

static void many_terms(hid_t file)
{
	char text[NETWORK_MAX_TERMS * 2 + 8];

	for (size_t i = 0; i + 1 < sizeof(text); i++)
		text[i] = '\n';
	text[sizeof(text) - 1] = '\0';
	put_text(file, "network", "terms", text);
}

static void variable_length_terms(hid_t file)
{
	const hid_t type = H5Tcopy(H5T_C_S1);
	const char *text = "bilinear range=all";

	H5Tset_size(type, H5T_VARIABLE);
	put_attribute(file, "network", "terms", type, &text);
	H5Tclose(type);
}

static void other_terms(hid_t file)
{
	put_text(file, "network", "terms", "onsite-power powers=1-4\nbilinear range=all");
}

static void heavy_readout(hid_t file)
{
	put_double(file, "/", "readout_weight", 1.5);
}

static void nan_readout(hid_t file)
{
	put_double(file, "/", "readout_weight", NAN);
}

static void long_rule(hid_t file)
{
	char text[200];

	memset(text, 'r', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	put_text(file, "/", "rule", text);
}

static void numeric_bath(hid_t file)
{
	put_u64(file, "/", "bath", 1);
}

/* catches: any of these being believed, or refused without a word about where */
static void a_hostile_file_is_refused_with_its_name_and_field(void **state)
{
	static const struct {
		const char *name;
		void (*spoil)(hid_t file);
		int code;
		const char *names;
	} cases[] = {
		{"huge nx", huge_nx, JOSTLE_EFORMAT, "nx"},
		{"zero ny", zero_ny, JOSTLE_EFORMAT, "ny"},
		{"another shape of lattice", another_shape, JOSTLE_ECHECKSUM, "checksum"},
		{"nx that does not fit theta", wrong_nx, JOSTLE_EFORMAT, "network/role"},
		{"signed nx", signed_nx, JOSTLE_EFORMAT, "nx"},
		{"NaN in theta", nan_theta, JOSTLE_EFORMAT, "theta"},
		{"infinity in theta", infinite_theta, JOSTLE_EFORMAT, "theta"},
		{"changed theta", changed_theta, JOSTLE_ECHECKSUM, "checksum"},
		{"descending knots", descending_knots, JOSTLE_EFORMAT, "knots/t:"},
		{"knot at zero", equal_knots, JOSTLE_EFORMAT, "knots/t:"},
		{"wall at zero", zero_wall, JOSTLE_EFORMAT, "wall"},
		{"wall that pushes outward", negative_stiffness, JOSTLE_EFORMAT, "wall"},
		{"newer version", newer_version, JOSTLE_EVERSION, "format_version"},
		{"another format", another_format, JOSTLE_EFORMAT, "format"},
		{"no format", no_format, JOSTLE_EFORMAT, "format"},
		{"wrong checksum", wrong_checksum, JOSTLE_ECHECKSUM, "checksum"},
		{"long checksum", long_checksum, JOSTLE_EFORMAT, "checksum"},
		{"no theta", no_theta, JOSTLE_EFORMAT, "knots/theta"},
		{"no network", no_network, JOSTLE_EFORMAT, "network"},
		{"no role", no_role, JOSTLE_EFORMAT, "network/role"},
		{"one knot", one_knot, JOSTLE_EFORMAT, "knots/t:"},
		{"a million million knots", many_knots, JOSTLE_EFORMAT, "knots/t:"},
		{"theta of 8 exabytes", claimed_theta, JOSTLE_EFORMAT, "knots/theta"},
		{"theta never written", empty_theta, JOSTLE_EFORMAT, "knots/theta"},
		{"theta of whole numbers", whole_number_theta, JOSTLE_EFORMAT, "knots/theta"},
		{"theta of rank 1", flat_theta, JOSTLE_EFORMAT, "knots/theta"},
		{"theta in another file", linked_theta, JOSTLE_EFORMAT, "knots/theta"},
		{"theta that is a group", theta_that_is_a_group, JOSTLE_EFORMAT, "knots/theta"},
		{"more variables than sites", more_variables, JOSTLE_EFORMAT, "network/mobility"},
		{"zero mobility", zero_mobility, JOSTLE_EFORMAT, "mobility"},
		{"negative temperature", negative_temperature, JOSTLE_EFORMAT, "temperature"},
		{"unknown role", unknown_role, JOSTLE_EFORMAT, "network/role"},
		{"unknown term", unknown_term, JOSTLE_ENOENT, "springs"},
		{"bad setting", bad_setting, JOSTLE_ECONFIG, "range"},
		{"no terms", no_terms, JOSTLE_ECONFIG, "terms"},
		{"many terms", many_terms, JOSTLE_EFORMAT, "terms"},
		{"terms of variable length", variable_length_terms, JOSTLE_EFORMAT, "terms"},
		{"terms that do not fit theta", other_terms, JOSTLE_EFORMAT, "knots/theta"},
		{"read-out above 1", heavy_readout, JOSTLE_EFORMAT, "readout_weight"},
		{"NaN read-out", nan_readout, JOSTLE_EFORMAT, "readout_weight"},
		{"long rule", long_rule, JOSTLE_EFORMAT, "rule"},
		{"numeric bath", numeric_bath, JOSTLE_EFORMAT, "bath"},
	};
	struct fixture *fx = *state;

	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct protocol back;
		struct err err = {0};
		char text[1200];
		const hid_t file = copy_open(fx->good, fx->bad);

		cases[c].spoil(file);
		assert_true(H5Fclose(file) >= 0);
		const int status = protocol_load(&back, fx->bad, &err);
		err_format(&err, text, sizeof(text));
		if (status != cases[c].code)
			fail_msg("%s: expected error %d, found %d: %s", cases[c].name, cases[c].code, status, text);
		if (!strstr(text, fx->bad) || !strstr(text, cases[c].names))
			fail_msg("%s: expected file and \"%s\" to be named, found: %s", cases[c].name, cases[c].names,
				 text);
	}
}

/* catches: a missing file or a text file taken for a damaged one */
static void what_is_no_protocol_at_all_is_told_apart(void **state)
{
	struct fixture *fx = *state;
	struct protocol back;
	struct err err = {0};

	assert_int_equal(protocol_load(&back, fx->bad, &err), JOSTLE_ENOENT);
	bytes_write(fx->bad, (const unsigned char *)"bilinear range=all\n", 19);
	assert_int_equal(protocol_load(&back, fx->bad, &err), JOSTLE_EFORMAT);
	assert_int_equal(protocol_load(&back, fx->directory, &err), JOSTLE_EFORMAT);
	protocol_fini(&back); /* safe after a load that failed */
}

/* catches: a learner's divergence written into a file that nothing will read */
static void what_loading_would_refuse_is_not_saved(void **state)
{
	struct fixture *fx = *state;
	struct err err = {0};

	fx->protocol.theta[9] = NAN;
	assert_int_equal(protocol_save(&fx->protocol, fx->bad, &provenance, &err), JOSTLE_EINVAL);
	assert_non_null(strstr(err.text, "theta"));
	assert_int_not_equal(access(fx->bad, F_OK), 0);
	fx->protocol.theta[9] = 0.0;
	fx->protocol.wall[1].position = 0.0;
	assert_int_equal(protocol_save(&fx->protocol, fx->bad, &provenance, &err), JOSTLE_EINVAL);
	assert_non_null(strstr(err.text, "wall"));
	fx->protocol.wall[1].position = 1.0;
	assert_int_equal(protocol_save(&fx->protocol, "/nowhere/at/all.h5", &provenance, &err), JOSTLE_EIO);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILE(a_protocol_comes_back_bit_for_bit),
		WITH_FILE(equal_protocols_give_equal_files),
		WITH_FILE(every_field_of_the_content_changes_the_checksum),
		WITH_FILE(a_truncated_file_is_refused_wherever_it_ends),
		WITH_FILE(a_flipped_byte_is_found_or_changes_nothing),
		WITH_FILE(a_hostile_file_is_refused_with_its_name_and_field),
		WITH_FILE(what_is_no_protocol_at_all_is_told_apart),
		WITH_FILE(what_loading_would_refuse_is_not_saved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
