package org.fermobile.core

import java.io.ByteArrayInputStream
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.ZipInputStream

/** The archive that is appended to a model, unchecked; checksums in hex. */
internal class ModelArchive(
    val contract: String,
    val labels: List<String>,
    val reference: String?,
    val modelSha256: String,
    val sha256: String,
)

private const val CONTRACT = "contract.json"
private const val LABELS = "labels.txt"
private const val REFERENCE = "reference.json"

/** Bytes of the archive; a longer one is not ours and is not read. */
private const val LARGEST = 2_000_000

private const val END_OF_DIRECTORY = 0x06054b50
private const val END_SIZE = 22
private const val DIRECTORY_ENTRY = 0x02014b50
private const val ENTRY_SIZE = 46

/** "TFL3", bytes 4 to 7 of every TFLite file. */
private const val IDENTIFIER = 0x334c4654

internal fun openModel(content: ByteBuffer, name: String): ModelArchive {
    val file = content.duplicate().order(ByteOrder.LITTLE_ENDIAN)
    if (file.limit() < 8 || file.getInt(4) != IDENTIFIER) {
        throw ContractException(name, expected = "a TensorFlow Lite model", found = "something else")
    }
    val start = archiveStart(file) ?: throw noContract(name)
    val entries = try {
        entries(file, start)
    } catch (error: IOException) { // ZipException among them
        throw noContract(name, error)
    } catch (error: IllegalArgumentException) { // of names that are no text
        throw noContract(name, error)
    }
    return ModelArchive(
        contract = (entries[CONTRACT] ?: throw noContract(name)).decodeToString(),
        labels = entries[LABELS].orEmpty().decodeToString().lines().filter(String::isNotEmpty),
        reference = entries[REFERENCE]?.decodeToString(),
        modelSha256 = sha256(file, start),
        sha256 = sha256(file, file.limit()),
    )
}

private fun noContract(name: String, cause: Exception? = null) = ContractException(
    name,
    expected = "a model with an embedded contract",
    found = "none in it",
    hint = "Use a file that `fer-mobile export` wrote.",
    cause = cause,
)

private fun ByteArray?.orEmpty() = this ?: ByteArray(0)

/**
 * Where the archive begins: its first file, by its directory; null where there is none.
 *
 * Android's ZipFile takes no file that begins with something else, so the directory is read here;
 * what it points to is left to ZipInputStream.
 */
private fun archiveStart(file: ByteBuffer): Int? {
    val end = (file.limit() - END_SIZE downTo maxOf(0, file.limit() - END_SIZE - 0xffff))
        .firstOrNull { file.getInt(it) == END_OF_DIRECTORY } ?: return null
    val entries = file.getShort(end + 10).toInt() and 0xffff
    var entry = file.getInt(end + 16)
    var start: Int? = null
    repeat(entries) {
        if (entry !in 0..end - ENTRY_SIZE || file.getInt(entry) != DIRECTORY_ENTRY) return null
        val place = file.getInt(entry + 42)
        start = minOf(start ?: place, place)
        entry += ENTRY_SIZE + listOf(28, 30, 32).sumOf { file.getShort(entry + it).toInt() and 0xffff }
    }
    return start?.takeIf { it in 8 until end && end - it <= LARGEST }
}

private fun entries(file: ByteBuffer, start: Int): Map<String, ByteArray> {
    val archive = ByteArray(file.limit() - start)
    file.duplicate().seek(start).get(archive)
    val found = HashMap<String, ByteArray>()
    ZipInputStream(ByteArrayInputStream(archive)).use { zip ->
        generateSequence { zip.nextEntry }.forEach { found[it.name] = readLimited(zip) }
    }
    return found
}

/** A deflated entry may be far larger than its archive. */
private fun readLimited(zip: ZipInputStream): ByteArray {
    val content = ByteArray(LARGEST)
    var size = 0
    while (true) {
        if (size == content.size) throw IOException("more than $LARGEST bytes")
        val read = zip.read(content, size, content.size - size)
        if (read < 0) return content.copyOf(size)
        size += read
    }
}
