package org.fermobile.gallery.engine

import android.content.Context
import android.graphics.BitmapFactory
import org.fermobile.core.Contract
import org.fermobile.core.ContractException
import org.fermobile.core.GrayImage
import org.fermobile.core.ModelFile
import org.fermobile.fer.Fer
import org.fermobile.fer.mapped
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.channels.Channels
import java.nio.channels.FileChannel

/**
 * A model that can be chosen.
 *
 * @property key of the settings: `shipped/NAME.tflite` or `imported/NAME.tflite`.
 */
data class ModelEntry(val key: String, val file: ModelFile) {
    val imported: Boolean get() = key.startsWith(IMPORTED)
}

private const val SHIPPED = "shipped/"
private const val IMPORTED = "imported/"
private const val SUFFIX = ".tflite"

/** The models of the assets, and those that were imported into the app's own folder. */
class ModelStore(context: Context) {
    private val assets = context.assets
    private val folder = File(context.filesDir, "models")

    /** Keys of all models, the default one first. */
    fun keys(): List<String> {
        val shipped = assets.list(ASSETS).orEmpty().filter { it.endsWith(SUFFIX) }
        val imported = folder.list().orEmpty().filter { it.endsWith(SUFFIX) }.sorted()
        return shipped.sortedWith(compareBy({ it != Fer.DEFAULT_MODEL }, { it })).map { SHIPPED + it } +
            imported.map { IMPORTED + it }
    }

    /** The models that can be used; of those in the assets a person may have put in any file. */
    fun list(): List<ModelEntry> = keys().mapNotNull { key ->
        try {
            ModelEntry(key, Contract.read(content(key), nameOf(key)))
        } catch (_: ContractException) {
            null
        }
    }

    /**
     * A model's bytes.
     *
     * @throws ContractException where it is gone.
     */
    fun content(key: String): ByteBuffer = try {
        if (key.startsWith(IMPORTED)) File(folder, nameOf(key)).mapped() else assets.mapped("$ASSETS/${nameOf(key)}")
    } catch (error: IOException) {
        throw ContractException(
            nameOf(key), expected = "a model of this app", found = "no such file",
            hint = "Choose another one.", cause = error,
        )
    }

    /** The face detector's bytes. */
    fun detector(): ByteBuffer = assets.mapped(Fer.DETECTOR)

    /** Some of the faces whose outputs by the float model a file holds. */
    fun referenceFaces(): List<GrayImage> {
        val mosaic = assets.open(REFERENCE).use(BitmapFactory::decodeStream)
        val columns = mosaic.width / FACE
        return List(FACES) { face ->
            val pixels = IntArray(FACE * FACE)
            mosaic.getPixels(pixels, 0, FACE, face % columns * FACE, face / columns * FACE, FACE, FACE)
            GrayImage(FACE, FACE, ByteArray(pixels.size) { pixels[it].toByte() }) // blue is gray
        }
    }

    /**
     * Takes in a model from anywhere, after [check] let it pass; one of the same name is replaced.
     *
     * @param check throws what is wrong with the bytes of a file of that name.
     * @throws ContractException for what cannot be used.
     * @throws IOException where it cannot be read or written.
     */
    fun import(name: String, source: InputStream, check: (ByteBuffer, String) -> Unit): ModelEntry {
        val safe = name.substringAfterLast('/').removeSuffix(SUFFIX).replace(Regex("[^\\w.-]"), "_")
            .trimStart('.').ifEmpty { "model" } + SUFFIX
        folder.mkdirs()
        val part = File.createTempFile("import", ".part", folder)
        try {
            part.outputStream().use { copy(source, it.channel, safe) }
            val content = part.mapped()
            check(content, safe)
            val entry = ModelEntry(IMPORTED + safe, Contract.read(content, safe))
            if (!part.renameTo(File(folder, safe))) throw IOException("cannot write $safe")
            return entry
        } finally {
            part.delete()
        }
    }

    fun remove(key: String) {
        if (key.startsWith(IMPORTED)) File(folder, nameOf(key)).delete()
    }

    companion object {
        /** Larger files are refused, bytes. */
        const val LARGEST = 64L shl 20

        private const val ASSETS = "models"
        private const val REFERENCE = "reference/faces.png"
        private const val FACES = 32

        /** Height and width of a reference face in pixels. */
        private const val FACE = 64

        fun nameOf(key: String): String = key.substringAfter('/')

        private fun copy(source: InputStream, target: FileChannel, name: String) {
            // One byte more than allowed is enough to know.
            val copied = target.transferFrom(Channels.newChannel(source), 0, LARGEST + 1)
            if (copied > LARGEST) {
                throw ContractException(name, expected = "at most ${LARGEST shr 20} MB", found = "more")
            }
        }
    }
}
