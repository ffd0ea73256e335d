# Makes Doxygen's comments of the plain ones in the headers: what begins a line is about what follows, what stands behind
# code is about that code; the first comment of a file is about the file, and that of cnn.h is the first page.
1s|^/\* libcnn |/** @mainpage libcnn\n * libcnn |
1s|^/\* |/** @file\n * |
s|^\( *\)/\* |\1/** |
s|\([^ ] *\)/\* |\1/**< |
# cnn.hpp has comments for Doxygen but at its top
1s|^// |/// @file\n/// |
2,/^#ifndef/s|^//|///|
