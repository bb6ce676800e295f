# room(NAME SOURCES … MAY_INCLUDE …): a static library for one folder.
#
# A room's headers are included as "room/header.h". Each room has an include directory of its own under the build tree
# that holds one link, to that room alone, so that a room sees exactly the rooms it names: a wrong include does not
# compile.

set(JOSTLE_SANITIZE "" CACHE STRING "value of -fsanitize=, or empty")

add_library(jostle_flags INTERFACE)
target_compile_definitions(jostle_flags INTERFACE _GNU_SOURCE)
target_compile_options(jostle_flags INTERFACE
	-Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
	-Wpointer-arith -Wwrite-strings -Wformat=2 -Wno-format-truncation -Werror -fno-math-errno -fno-trapping-math
	$<$<CONFIG:Release>:-O3> $<$<CONFIG:RelWithDebInfo>:-O3 -UNDEBUG>)
target_link_libraries(jostle_flags INTERFACE m)
if(JOSTLE_SANITIZE)
	target_compile_options(jostle_flags INTERFACE -fsanitize=${JOSTLE_SANITIZE} -fno-omit-frame-pointer
		-fno-sanitize-recover=all -O1 -DJOSTLE_SANITIZED)
	target_link_options(jostle_flags INTERFACE -fsanitize=${JOSTLE_SANITIZE})
endif()

# MAY_INCLUDE is private: a room sees the rooms it names and not what those name in turn.
function(room name)
	cmake_parse_arguments(R "" "" "SOURCES;MAY_INCLUDE;LIBRARIES" ${ARGN})
	set(link_dir ${PROJECT_BINARY_DIR}/rooms/${name})
	file(MAKE_DIRECTORY ${link_dir})
	file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${name} ${link_dir}/${name} SYMBOLIC)
	add_library(room_${name} STATIC ${R_SOURCES})
	target_include_directories(room_${name} PUBLIC ${link_dir})
	target_link_libraries(room_${name} PRIVATE jostle_flags ${R_LIBRARIES})
	foreach(other IN LISTS R_MAY_INCLUDE)
		target_link_libraries(room_${name} PRIVATE room_${other})
	endforeach()
endfunction()

# kernel_target(LIBRARY TARGET): compile for a target of protocols/kernel_target.h: one, block, avx2 or avx512.
function(kernel_target library target)
	if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
		target_compile_definitions(${library} PRIVATE JOSTLE_X86)
	endif()
	if(target STREQUAL block)
		target_compile_definitions(${library} PRIVATE KERNEL_BLOCK)
	elseif(target STREQUAL avx2)
		target_compile_definitions(${library} PRIVATE KERNEL_AVX2)
		target_compile_options(${library} PRIVATE -mavx2 -mfma)
	elseif(target STREQUAL avx512)
		target_compile_definitions(${library} PRIVATE KERNEL_AVX512)
		target_compile_options(${library} PRIVATE -mavx512f -mavx512vl -mavx512bw -mavx512dq -mfma
			-mprefer-vector-width=512)
	endif()
endfunction()
