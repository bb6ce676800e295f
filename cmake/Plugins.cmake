# plugin(KIND NAME [LIBRARIES PKG …]): one line in a folder's CMakeLists.txt adds <plural of KIND>/NAME.c to that folder
# and its one global symbol, KIND_NAME, to the registry. A missing library drops the row and says so.
#
# plugin_registry(KIND TYPE HEADER DIRECTORY): opens a registry before its plugin() lines.
# plugin_table(KIND OUT): writes the generated table and returns the list of sources, table included.

function(plugin_registry kind type header directory)
	foreach(key IN ITEMS type header directory)
		set_property(GLOBAL PROPERTY plugin_${kind}_${key} ${${key}})
	endforeach()
	set_property(GLOBAL PROPERTY plugin_${kind}_names "")
endfunction()

function(plugin kind name)
	cmake_parse_arguments(P "" "" "LIBRARIES" ${ARGN})
	foreach(library IN LISTS P_LIBRARIES)
		if(NOT ${library}_FOUND)
			message(WARNING "${kind} '${name}' is left out: library ${library} was not found")
			return()
		endif()
		set_property(GLOBAL APPEND PROPERTY plugin_${kind}_libraries PkgConfig::${library})
	endforeach()
	set_property(GLOBAL APPEND PROPERTY plugin_${kind}_names ${name})
endfunction()

# SYMBOL is how the table spells a member's symbol: "@" stands for KIND_NAME.
function(plugin_table kind out)
	cmake_parse_arguments(T "" "SYMBOL" "" ${ARGN})
	if(NOT T_SYMBOL)
		set(T_SYMBOL "@")
	endif()
	foreach(key IN ITEMS type header directory names)
		get_property(${key} GLOBAL PROPERTY plugin_${kind}_${key})
	endforeach()
	set(declarations "")
	set(rows "")
	set(sources "")
	foreach(name IN LISTS names)
		string(REPLACE "@" "${kind}_${name}" symbol "${T_SYMBOL}")
		string(APPEND declarations "extern const struct ${type} ${symbol};\n")
		string(APPEND rows "\t&${symbol},\n")
		list(APPEND sources ${CMAKE_CURRENT_SOURCE_DIR}/${directory}/${name}.c)
	endforeach()
	string(REPLACE "@" "${kind}_registry" table "${T_SYMBOL}")
	set(file ${CMAKE_CURRENT_BINARY_DIR}/${kind}_registry.c)
	file(CONFIGURE OUTPUT ${file} @ONLY CONTENT
		"/* Generated from the plugin() lines of this folder. */\n#include \"@header@\"\n\n@declarations@\nconst struct @type@ *const @table@[] = {\n@rows@\t0,\n};\n")
	set(${out} ${sources} ${file} PARENT_SCOPE)
endfunction()
