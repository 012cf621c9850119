# PERRIN_SANITIZE: AddressSanitizer and UndefinedBehaviorSanitizer over Perrin's own code; preset "asan" turns it on.
# LibTorch is not instrumented: an error inside it goes unseen, and UBSan's vptr check, which would follow its objects'
# type information, is off. Leak detection stays on; LibTorch's start-up passes it.
option(PERRIN_SANITIZE "build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
if(PERRIN_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
