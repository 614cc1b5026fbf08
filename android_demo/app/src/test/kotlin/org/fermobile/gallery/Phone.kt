package org.fermobile.gallery

import android.Manifest
import android.content.ContentProvider
import android.content.ContentValues
import android.database.Cursor
import android.database.MatrixCursor
import android.graphics.Bitmap
import android.net.Uri
import android.os.Looper
import android.os.ParcelFileDescriptor
import android.provider.MediaStore
import android.provider.OpenableColumns
import org.fermobile.core.shrink
import org.fermobile.fer.photoSource
import org.fermobile.gallery.engine.Engine
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import java.io.File
import java.util.Collections
import java.util.concurrent.CountDownLatch

/** The checkout. */
val repository = File(System.getProperty("fermobile.root")!!)

/** What only `offline/verify.sh` runs: it makes Android's library of the interpreter load on a JVM. */
interface OfflineProof

/** The same milliseconds on every machine, so that a screen with times is the same picture. */
class FakeClock : () -> Long {
    private var now = 0L
    private var calls = 0

    override fun invoke(): Long {
        now += STEPS[calls++ % STEPS.size]
        return now
    }

    private companion object {
        val STEPS = longArrayOf(300_000, 21_400_000, 700_000, 1_900_000, 12_200_000)
    }
}

/** Robolectric takes it in place of [GalleryApp], by its name. */
class TestGalleryApp : GalleryApp() {
    override val engine by lazy { Engine(models, contentResolver, clock = FakeClock()) }
}

/** What the build made for the tests, and where they leave what others check. */
val output by lazy { File(System.getProperty("fermobile.out")!!) }

val bundledPhotos: List<File> = File(repository, "fer_mobile/photos/affective-25").listFiles()!!
    .filter { it.extension in setOf("jpg", "png") }.sorted()

fun bundled(vararg names: String): List<File> = names.map { name -> bundledPhotos.first { it.nameWithoutExtension == name } }

/** What most tests of the gallery have on the phone. */
val GALLERY_PHOTOS = bundled(
    "astronaut-smile", "baby-laughing", "cat", "four-portraits", "gray-man-frown", "gray-man-raised-brows",
    "hopper-portrait", "santa-surprised", "woman-turning",
)

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
        opened += file
        if (file in closed) throw SecurityException("no grant")
        if (file in failing) throw UnsupportedOperationException()
        slow[file]?.await()
        return ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_READ_ONLY)
    }

    override fun getType(uri: Uri) = "image/*"

    override fun insert(uri: Uri, values: ContentValues?) = error("read only")

    override fun delete(uri: Uri, where: String?, arguments: Array<String>?) = error("read only")

    override fun update(uri: Uri, values: ContentValues?, where: String?, arguments: Array<String>?) = error("read only")

    companion object {
        var files: List<File> = emptyList()

        /** Photos that may not be read (any more). */
        var closed: Set<File> = emptySet()

        /** Photos whose provider fails. */
        var failing: Set<File> = emptySet()

        /** What was opened, in order. */
        val opened: MutableList<File> = Collections.synchronizedList(mutableListOf())

        /** Photos that are not to be had before their time. */
        var slow: Map<File, CountDownLatch> = emptyMap()
    }
}

/** The astronaut so small that the face is "too small", of a quality of 0.7 at most. */
fun smallFace(): File = File.createTempFile("small", ".png").apply {
    val small = shrink(photoSource(bundled("astronaut-smile").single()::inputStream).load(1280).image, 128)
    val bitmap = Bitmap.createBitmap(small.pixels, small.width, small.height, Bitmap.Config.ARGB_8888)
    outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
}

/** Where [MediaProvider] has a file. */
fun uriOf(index: Int): Uri = Uri.withAppendedPath(MediaStore.Images.Media.EXTERNAL_CONTENT_URI, "$index")

/** A phone with these photos, and the permission to see them. */
fun havePhotos(files: List<File>, permitted: Boolean = true) {
    MediaProvider.files = files
    MediaProvider.closed = emptySet()
    MediaProvider.failing = emptySet()
    MediaProvider.slow = emptyMap()
    Robolectric.setupContentProvider(MediaProvider::class.java, MediaStore.AUTHORITY)
    if (!permitted) return
    shadowOf(galleryApp).grantPermissions(Manifest.permission.READ_MEDIA_IMAGES, Manifest.permission.READ_EXTERNAL_STORAGE)
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
