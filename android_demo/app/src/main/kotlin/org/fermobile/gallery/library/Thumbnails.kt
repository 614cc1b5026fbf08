package org.fermobile.gallery.library

import android.content.ContentResolver
import android.graphics.Bitmap
import android.util.LruCache
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.withContext
import org.fermobile.core.PhotoException
import org.fermobile.fer.bytesOf
import org.fermobile.fer.decodePreview

/** Small pictures of photos, as many as an eighth of the app's memory holds. */
class Thumbnails(private val resolver: ContentResolver) {
    private val cache = object : LruCache<String, Bitmap>((Runtime.getRuntime().maxMemory() / 8 / 1024).toInt()) {
        override fun sizeOf(key: String, value: Bitmap): Int = value.byteCount / 1024 + 1
    }

    @OptIn(ExperimentalCoroutinesApi::class)
    private val dispatcher = Dispatchers.IO.limitedParallelism(2)

    /** What is there already. */
    fun cached(photo: LibraryPhoto): Bitmap? = cache[photo.key]

    /** A photo's thumbnail, null where it cannot be decoded. */
    suspend fun load(photo: LibraryPhoto): Bitmap? = cached(photo) ?: withContext(dispatcher) {
        try {
            decodePreview(resolver.bytesOf(photo.uri), SIDE).also { cache.put(photo.key, it) }
        } catch (_: PhotoException) {
            null
        }
    }

    private companion object {
        const val SIDE = 256
    }
}
