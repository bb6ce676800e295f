# Run at build time: writes OUT with the version, and in a git checkout the commit, "-dirty" when it has been changed.
# The header is rewritten only when it changes, so that an unchanged tree compiles nothing.
set(version ${VERSION})
if(GIT AND EXISTS ${SOURCE_DIR}/.git) # not that of a repository around an unpacked archive
	execute_process(COMMAND ${GIT} --no-optional-locks -C ${SOURCE_DIR} describe --always --dirty --abbrev=10 --exclude=*
		OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
	if(NOT failed)
		string(APPEND version "+${commit}")
	endif()
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define JOSTLE_VERSION \"${version}\"\n")
