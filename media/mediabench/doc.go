// Package mediabench compares the darkroom with vipsthumbnail, which is built on
// libvips and libjpeg-turbo, at the same work on the same photos:
//
//	go test -count=1 -run TestCompare -v -timeout 30m ./media/mediabench -compare
//
// It has tests only. Each prints a Markdown table: processor time and memory, the
// memory of the real program, two photos at once, and quality. They run with
// -compare alone, and say which tool is missing where one is.
//
// What the comparison promises:
//
// Both are whole processes, of six photos each: the same photo by six names.
// Processor time is what the kernel counts
// of a process and its children, user and system, so the start is in it. Ours
// and theirs take turns in every round, each going first in every other one. The
// ratio is that of one round; what is printed is its median over the rounds, with
// the least and the most.
//
// Ours is media.Develop with the gateway's settings, except that an original may be
// of any size, and with the memory limit and the threads of the gateway's own
// children. vipsthumbnail has VIPS_CONCURRENCY=1 and --vips-cache-max=0, with which
// it takes the least processor time and does not keep what it has read.
//
// Both write two files for each photo: a preview of the same width and height, and
// a thumbnail of 240 x 240 pixels from the middle; upright, without metadata, with
// optimised Huffman tables; the preview of a JPEG 4:2:0, the thumbnail 4:4:4.
// vipsthumbnail's Q is the one, of each of the two, with which the file's size
// comes nearest to ours. More than 5 % between the previews fails the test.
//
// vipsthumbnail is given every advantage there is. It makes one picture in a run, so
// the thumbnail is made in a second one: from the original, and from its own
// preview. The first round measures both, and the cheaper counts. It is told to
// convert colours only where the profile is another one than sRGB.
//
// Peak memory is what the kernel says a process held at most, the pages of its
// program and libraries included. Where six photos stand, a process has developed
// six; each is developed once by a process of its own beside, which is what the
// goals are for.
//
// Quality is measured against the picture that has lost nothing: the lossless
// original, or all pixels of a JPEG, scaled down by libvips with a Lanczos filter to
// the preview's size. The measures are libjxl's butteraugli_main, whose 3-norm is a
// distance, and ssimulacra2, a score, where that is installed (libjxl 0.8 or later).
// vipsthumbnail's is interpolated between its two settings of Q around our bytes.
package mediabench
