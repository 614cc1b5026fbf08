package org.fermobile.fer

import android.graphics.Bitmap
import java.io.DataInputStream
import java.io.EOFException

/**
 * Rows at the lower end of a bitmap that may not have been decoded.  Android decodes what is there of a photo that is
 * cut off and says nothing; the rest is black or transparent.
 */
internal fun emptyRows(bitmap: Bitmap): Int {
    val row = IntArray(bitmap.width)
    return (bitmap.height - 1 downTo 0).takeWhile { y ->
        bitmap.getPixels(row, 0, row.size, 0, y, row.size, 1)
        row.all { it == OPAQUE_BLACK || it == 0 }
    }.size
}

/** Whether a JPEG, PNG or WebP file ends before its picture does; false for all other files. */
internal fun isCutOff(open: PhotoBytes): Boolean = try {
    open()?.buffered()?.use { DataInputStream(it).readPicture() }
    false
} catch (_: EOFException) {
    true
}

private fun DataInputStream.readPicture() {
    val start = readInt()
    when {
        start ushr 16 == JPEG -> {
            var marker = start and 0xffff
            while (marker != START_OF_SCAN) {
                skipFully(readUnsignedShort() - 2)
                marker = readUnsignedShort()
            }
            var before = 0
            while (true) {
                val byte = readUnsignedByte() // of compressed data, where no other 0xff stands before this one
                if (before == 0xff && byte == END_OF_IMAGE) return
                before = byte
            }
        }
        start == PNG -> {
            skipFully(4)
            do {
                val length = readInt()
                val type = readInt()
                skipFully(length + 4) // with its checksum
            } while (type != PNG_END)
        }
        start == RIFF -> skipFully(Integer.reverseBytes(readInt()))
    }
}

/** Skips so many bytes and reads none after them; a file may be skipped beyond its end, so the last one is read. */
private fun DataInputStream.skipFully(bytes: Int) {
    var left = bytes - 1L
    while (left > 0) {
        val skipped = skip(left)
        if (skipped <= 0) readByte()
        left -= maxOf(1, skipped)
    }
    if (bytes > 0) readByte()
}

private const val OPAQUE_BLACK = 0xff shl 24
private const val JPEG = 0xffd8
private const val START_OF_SCAN = 0xffda
private const val END_OF_IMAGE = 0xd9
private const val PNG = 0x89504e47.toInt()
private const val PNG_END = 0x49454e44
private const val RIFF = 0x52494646
