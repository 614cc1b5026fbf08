package org.fermobile.gallery

import android.Manifest
import android.content.ContentProvider
import android.content.ContentValues
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.Looper
import android.os.ParcelFileDescriptor
import android.provider.MediaStore
import android.provider.OpenableColumns
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.File
import java.util.concurrent.CountDownLatch

/** The checkout. */
val repository = File(System.getProperty("fermobile.root")!!)

/** What the build made for the tests, and where they leave what others check. */
val output = File(System.getProperty("fermobile.out")!!)

val bundledPhotos: List<File> = File(repository, "fer_mobile/photos/affective-25").listFiles()!!
    .filter { it.extension in setOf("jpg", "png") }.sorted()

fun bundled(vararg names: String): List<File> = names.map { name -> bundledPhotos.first { it.nameWithoutExtension == name } }

val galleryApp: GalleryApp get() = RuntimeEnvironment.getApplication() as GalleryApp

/** Plays MediaStore, which the JVM has none of: real files, by their place in [files]. */
class MediaProvider : ContentProvider() {
    override fun onCreate() = true

    override fun query(
        uri: Uri, columns: Array<String>?, where: String?, arguments: Array<String>?, order: String?,
    ): Cursor = MatrixCursor(columns!!).apply {
        val one = uri.lastPathSegment?.toIntOrNull()
        for ((id, file) in files.withIndex()) {
            if (one != null && one != id) continue
            addRow(columns.map<String, Any> {
                when (it) {
                    MediaStore.Images.Media._ID -> id
                    MediaStore.Images.Media.DATE_MODIFIED -> file.lastModified() / 1000
                    MediaStore.Images.Media.SIZE -> file.length()
                    OpenableColumns.DISPLAY_NAME -> file.name
                    else -> error(it)
                }
            })
        }
    }

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        val file = files[uri.lastPathSegment!!.toInt()]
        slow[file]?.await()
        return ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_READ_ONLY)
    }

    override fun getType(uri: Uri) = "image/*"

    override fun insert(uri: Uri, values: ContentValues?) = error("read only")

    override fun delete(uri: Uri, where: String?, arguments: Array<String>?) = error("read only")

    override fun update(uri: Uri, values: ContentValues?, where: String?, arguments: Array<String>?) = error("read only")

    companion object {
        var files: List<File> = emptyList()

        /** Photos that are not to be had before their time. */
        var slow: Map<File, CountDownLatch> = emptyMap()
    }
}

/** Where [MediaProvider] has a file. */
fun uriOf(index: Int): Uri = Uri.withAppendedPath(MediaStore.Images.Media.EXTERNAL_CONTENT_URI, "$index")

/** A phone with these photos, and the permission to see them. */
fun havePhotos(files: List<File>, permitted: Boolean = true) {
    MediaProvider.files = files
    Robolectric.setupContentProvider(MediaProvider::class.java, MediaStore.AUTHORITY)
    if (permitted) shadowOf(galleryApp).grantPermissions(Manifest.permission.READ_MEDIA_IMAGES)
}

/** Lets the main thread do its work until something holds. */
fun waitUntil(what: String, seconds: Int = 120, holds: () -> Boolean) {
    val end = System.nanoTime() + seconds * 1_000_000_000L
    while (true) {
        shadowOf(Looper.getMainLooper()).idle()
        if (holds()) return
        check(System.nanoTime() < end) { "waited $seconds s for: $what" }
        Thread.sleep(5)
    }
}
