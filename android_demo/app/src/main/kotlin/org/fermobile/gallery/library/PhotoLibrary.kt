package org.fermobile.gallery.library

import android.Manifest
import android.content.ContentResolver
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Build
import android.provider.MediaStore
import androidx.core.content.ContextCompat
import androidx.core.content.edit
import java.io.FileNotFoundException

/** Which photos the app may see. */
enum class Access { NONE, CHOSEN, SELECTED, ALL }

/**
 * A photo of the library.
 *
 * @property key changes when the photo does.
 * @property chosen with the system's picker, so that it can be taken out again.
 */
data class LibraryPhoto(val uri: Uri, val key: String, val chosen: Boolean = false)

/**
 * The phone's photos, newest first: those of MediaStore that the permissions show, and those that
 * were chosen with the system's picker, for which there is no permission.
 */
class PhotoLibrary(private val context: Context) {
    private val preferences = context.getSharedPreferences("library", Context.MODE_PRIVATE)

    val access: Access
        get() = when {
            granted(fullPermission()) -> Access.ALL
            Build.VERSION.SDK_INT >= 34 &&
                granted(Manifest.permission.READ_MEDIA_VISUAL_USER_SELECTED) -> Access.SELECTED
            chosen().isNotEmpty() -> Access.CHOSEN
            else -> Access.NONE
        }

    /** Whether the user has refused once; the system asks a second time, and then never again. */
    var refused: Boolean
        get() = preferences.getBoolean(REFUSED, false)
        set(value) = preferences.edit { putBoolean(REFUSED, value) }

    /** What to ask the user for. */
    fun permissions(): Array<String> =
        if (Build.VERSION.SDK_INT >= 34) {
            arrayOf(fullPermission(), Manifest.permission.READ_MEDIA_VISUAL_USER_SELECTED)
        } else {
            arrayOf(fullPermission())
        }

    /** Adds photos of the picker; they stay readable after a restart where the picker allows it. */
    fun choose(uris: List<Uri>) {
        for (uri in uris) {
            try {
                context.contentResolver.takePersistableUriPermission(uri, Intent.FLAG_GRANT_READ_URI_PERMISSION)
            } catch (_: SecurityException) {
                // Readable until the app ends.
            }
        }
        val all = chosen() + uris.map(Uri::toString)
        preferences.edit { putStringSet(CHOSEN, all) }
    }

    /** Takes a photo of the picker out again. */
    fun remove(uri: Uri) {
        preferences.edit { putStringSet(CHOSEN, chosen() - uri.toString()) }
        try {
            context.contentResolver.releasePersistableUriPermission(uri, Intent.FLAG_GRANT_READ_URI_PERMISSION)
        } catch (_: SecurityException) {
            // It was readable until the app ends, or is not any more.
        }
    }

    /** All photos; those of the picker that are gone, or may not be read any more, are forgotten. */
    fun photos(): List<LibraryPhoto> {
        chosen().map(Uri::parse).filterNot(::readable).forEach(::remove)
        val mine = chosen().sorted().map { LibraryPhoto(Uri.parse(it), it, chosen = true) }
        val stored = if (access >= Access.SELECTED) mediaStore(context.contentResolver) else emptyList()
        return mine + stored
    }

    private fun readable(uri: Uri): Boolean = try {
        context.contentResolver.openFileDescriptor(uri, "r")?.close()
        true
    } catch (_: SecurityException) {
        false
    } catch (_: FileNotFoundException) {
        false
    } catch (_: RuntimeException) { // of a provider that fails; it may answer next time
        true
    }

    private fun chosen(): Set<String> = preferences.getStringSet(CHOSEN, null).orEmpty()

    private fun fullPermission(): String =
        if (Build.VERSION.SDK_INT >= 33) {
            Manifest.permission.READ_MEDIA_IMAGES
        } else {
            Manifest.permission.READ_EXTERNAL_STORAGE
        }

    private fun granted(permission: String): Boolean =
        ContextCompat.checkSelfPermission(context, permission) == PackageManager.PERMISSION_GRANTED

    private companion object {
        const val CHOSEN = "chosen"
        const val REFUSED = "refused"
    }
}

private fun mediaStore(resolver: ContentResolver): List<LibraryPhoto> {
    val collection = MediaStore.Images.Media.EXTERNAL_CONTENT_URI
    val columns = arrayOf(
        MediaStore.Images.Media._ID, MediaStore.Images.Media.DATE_MODIFIED, MediaStore.Images.Media.SIZE,
    )
    val order = "${MediaStore.Images.Media.DATE_MODIFIED} DESC, ${MediaStore.Images.Media._ID} DESC"
    return resolver.query(collection, columns, null, null, order)?.use { rows ->
        buildList {
            while (rows.moveToNext()) {
                val uri = Uri.withAppendedPath(collection, rows.getLong(0).toString())
                add(LibraryPhoto(uri, "$uri ${rows.getLong(1)} ${rows.getLong(2)}"))
            }
        }
    }.orEmpty()
}
