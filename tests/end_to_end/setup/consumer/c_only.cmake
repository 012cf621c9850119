cmake_minimum_required(VERSION 3.22)
project(ConsumerInC LANGUAGES C)
find_package(Perrin REQUIRED)
perrin_add_plugin(portable SOURCES ../portable.c)
