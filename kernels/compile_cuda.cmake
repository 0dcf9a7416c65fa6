# Compiles one CUDA source for every architecture, and keeps the compiler's report of registers, spills and shared memory beside the object.
get_filename_component(FOLDER ${OBJECT} DIRECTORY)
get_filename_component(NAME ${OBJECT} NAME_WE)
file(MAKE_DIRECTORY ${FOLDER})
execute_process(
  COMMAND ${NVCC} -std=c++17 -O3 -c -Xcompiler -fPIC,-fvisibility=hidden -Xptxas -v --expt-relaxed-constexpr
    -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=sm_90 -gencode arch=compute_100,code=sm_100 -gencode arch=compute_80,code=compute_80
    -I${ROOT}/include -I${ROOT}/src -o ${OBJECT} ${SOURCE}
  RESULT_VARIABLE RESULT OUTPUT_VARIABLE OUT ERROR_VARIABLE REPORT)
file(WRITE ${FOLDER}/${NAME}.report.txt "${OUT}${REPORT}")
if(RESULT)
  message(FATAL_ERROR "${OUT}${REPORT}")
endif()
