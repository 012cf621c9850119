# PERRIN_SANITIZE builds Perrin's own code with sanitizers: "address" (AddressSanitizer and UndefinedBehaviorSanitizer;
# preset "asan") or "thread" (ThreadSanitizer; preset "tsan").
# LibTorch is not instrumented: an error inside it goes unseen, and UBSan's vptr check, which would follow its objects'
# type information, is off. Leak detection stays on; LibTorch's start-up passes it. ThreadSanitizer does not see OpenMP's
# barriers: run what it built with OMP_NUM_THREADS=1.
set(PERRIN_SANITIZE "" CACHE STRING "build with sanitizers: address or thread")
if(PERRIN_SANITIZE STREQUAL address)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(PERRIN_SANITIZE STREQUAL thread)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(PERRIN_SANITIZE)
  message(FATAL_ERROR "PERRIN_SANITIZE is \"${PERRIN_SANITIZE}\": give address or thread")
endif()
