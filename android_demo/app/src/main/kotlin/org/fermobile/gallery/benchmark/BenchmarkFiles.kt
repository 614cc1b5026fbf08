package org.fermobile.gallery.benchmark

import android.content.Context
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.buildJsonObject
import kotlinx.serialization.json.put
import java.io.File
import java.io.IOException

/**
 * Writes a result, or an error, where `fer-mobile bench --device adb` fetches it: the file is there
 * whole or not at all.
 *
 * @throws IOException where the phone's storage cannot be written to.
 */
fun writeBenchmark(context: Context, name: String, content: JsonObject): File {
    val root = context.getExternalFilesDir(null) ?: throw IOException("the storage is not there")
    val folder = File(root, "bench")
    if (!folder.isDirectory && !folder.mkdirs()) throw IOException("cannot make $folder")
    val part = File.createTempFile("result", ".part", folder)
    try {
        part.writeText("$content\n")
        val file = File(folder, name)
        if (!part.renameTo(file)) throw IOException("cannot write $file")
        return file
    } finally {
        part.delete()
    }
}

/** What a failed benchmark leaves in place of a result. */
fun benchmarkError(message: String): JsonObject = buildJsonObject {
    put("schema", "fer-mobile/bench-error")
    put("error", message)
}
