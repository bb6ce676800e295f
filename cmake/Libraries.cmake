find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(CYAML REQUIRED IMPORTED_TARGET libcyaml)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1) # libcyaml's own parser
pkg_check_modules(HDF5 REQUIRED IMPORTED_TARGET hdf5)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)
pkg_check_modules(LAPACKE REQUIRED IMPORTED_TARGET lapacke)
pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)
pkg_check_modules(ZMQ REQUIRED IMPORTED_TARGET libzmq)
pkg_check_modules(MSGPACK REQUIRED IMPORTED_TARGET msgpack)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(SERIALPORT IMPORTED_TARGET libserialport) # optional: plugin() says what is left out without it
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

# Optional: what hardware is driven through. Where one is missing, its drivers are left out.
pkg_check_modules(COMEDI IMPORTED_TARGET comedilib)

# Optional: work shared out over machines.
set(JOSTLE_MPI AUTO CACHE STRING "share work over ranks with Open MPI: AUTO (where it is installed), ON or OFF")
set(JOSTLE_HAS_MPI FALSE)
if(JOSTLE_MPI STREQUAL "AUTO")
	find_package(MPI QUIET COMPONENTS C)
elseif(JOSTLE_MPI)
	find_package(MPI REQUIRED COMPONENTS C)
endif()
if(JOSTLE_MPI AND MPI_C_FOUND)
	set(JOSTLE_HAS_MPI TRUE)
endif()
