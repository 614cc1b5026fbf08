package org.fermobile.fer

import android.content.res.AssetManager
import org.fermobile.core.seek
import java.io.File
import java.io.FileInputStream
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel

/**
 * A file of the app's assets: mapped, or read where the build has compressed it.
 *
 * @throws IOException where it is not there.
 */
@Throws(IOException::class)
fun AssetManager.mapped(path: String): ByteBuffer = try {
    openFd(path).use { file ->
        file.createInputStream().channel.use {
            it.map(FileChannel.MapMode.READ_ONLY, file.startOffset, file.declaredLength)
        }
    }
} catch (_: IOException) { // compressed by a build that did not know better
    open(path).use { direct(it.readBytes()) }
}

/** A file, mapped. @throws IOException where it cannot be read. */
@Throws(IOException::class)
fun File.mapped(): ByteBuffer = FileInputStream(this).channel.use {
    it.map(FileChannel.MapMode.READ_ONLY, 0, it.size())
}

private fun direct(bytes: ByteArray): ByteBuffer =
    ByteBuffer.allocateDirect(bytes.size).order(ByteOrder.nativeOrder()).put(bytes).seek()
