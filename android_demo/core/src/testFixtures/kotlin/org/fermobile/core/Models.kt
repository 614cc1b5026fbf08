package org.fermobile.core

import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32
import java.util.zip.ZipEntry
import java.util.zip.ZipOutputStream

/** The repository's model files. */
object Models {
    val folder = File(Golden.root, "models")

    val yunet = File(folder, "yunet/face_detection_yunet.tflite")

    /** The classifiers; detectors have no contract. */
    val shipped: List<File> = folder.walk().filter { it.extension == "tflite" && contractOf(it).exists() }.sorted().toList()

    /** The contract beside a shipped file. */
    fun contract(file: File): JsonObject = Golden.json(contractOf(file))

    private fun contractOf(file: File) = File(file.parentFile, "${file.nameWithoutExtension}.json")

    fun buffer(bytes: ByteArray): ByteBuffer =
        ByteBuffer.allocateDirect(bytes.size).order(ByteOrder.nativeOrder()).apply { put(bytes).rewind() }

    /** A model's bytes without what is appended to them. */
    fun bare(content: ByteArray): ByteArray {
        val start = (8 until content.size - 4).last {
            content[it] == 'P'.code.toByte() && content[it + 1] == 'K'.code.toByte() && content[it + 2].toInt() == 3
        }
        val labels = String(content, start, 200, Charsets.ISO_8859_1)
        check("reference.json" in labels) { "the reference outputs are the last file" }
        return content.copyOf(String(content, Charsets.ISO_8859_1).indexOf("PK\u0003\u0004"))
    }

    /** A model with an archive of [files], stored as the Python package does it. */
    fun attach(bare: ByteArray, files: Map<String, String>, method: Int = ZipEntry.STORED): ByteArray {
        val out = ByteArrayOutputStream()
        out.write(bare)
        val archive = ByteArrayOutputStream()
        ZipOutputStream(archive).use { zip ->
            for ((name, text) in files) {
                val bytes = text.toByteArray()
                val entry = ZipEntry(name)
                entry.method = method
                entry.size = bytes.size.toLong()
                entry.crc = CRC32().apply { update(bytes) }.value
                if (method == ZipEntry.STORED) entry.compressedSize = entry.size
                zip.putNextEntry(entry)
                zip.write(bytes)
            }
        }
        return out.toByteArray() + moved(archive.toByteArray(), bare.size)
    }

    /** The archive with the places in its directory counted from the beginning of the file. */
    private fun moved(archive: ByteArray, by: Int): ByteArray {
        val bytes = ByteBuffer.wrap(archive).order(ByteOrder.LITTLE_ENDIAN)
        val end = archive.size - 22
        var entry = bytes.getInt(end + 16)
        repeat(bytes.getShort(end + 10).toInt()) {
            bytes.putInt(entry + 42, bytes.getInt(entry + 42) + by)
            entry += 46 + bytes.getShort(entry + 28) + bytes.getShort(entry + 30) + bytes.getShort(entry + 32)
        }
        bytes.putInt(end + 16, bytes.getInt(end + 16) + by)
        return archive
    }
}

/** The object with one value changed; [path] as "input.dtype", null leaves the key out. */
fun JsonObject.with(path: String, json: String?): JsonObject {
    val key = path.substringBefore('.')
    val rest = path.substringAfter('.', "")
    val value: JsonElement? = when {
        rest.isNotEmpty() -> (getValue(key) as JsonObject).with(rest, json)
        else -> json?.let(Json::parseToJsonElement)
    }
    return JsonObject(if (value == null) this - key else this + (key to value))
}
