package org.fermobile.gallery

import android.Manifest
import android.provider.MediaStore
import android.provider.Settings
import androidx.lifecycle.ViewModelProvider
import com.google.android.material.appbar.MaterialToolbar
import org.fermobile.gallery.gallery.GalleryViewModel
import org.fermobile.gallery.photo.PhotoActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.experimental.categories.Category
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Which photos there are: permissions and the picker. */
@RunWith(RobolectricTestRunner::class)
@Category(OfflineProof::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = "en-w360dp-h640dp-port-hdpi")
class LibraryTest {
    private val some = GALLERY_PHOTOS

    @Test
    fun firstRunExplainsItselfAndAsksForAccess() {
        havePhotos(some, permitted = false)
        val controller = openGallery(loaded = false)
        val activity = controller.get()
        waitUntil("the welcome") { activity.view(R.id.welcome).isShown }
        assertFalse(activity.view(R.id.filter_all).isEnabled)
        assertLooksLike("first-run", activity)

        activity.view(R.id.allow).performClick()
        val asked = shadowOf(activity).lastRequestedPermission.requestedPermissions.toSet()
        assertEquals(
            setOf(Manifest.permission.READ_MEDIA_IMAGES, Manifest.permission.READ_MEDIA_VISUAL_USER_SELECTED), asked,
        )
        shadowOf(galleryApp).grantPermissions(Manifest.permission.READ_MEDIA_VISUAL_USER_SELECTED)
        controller.pause().stop().start().resume()
        waitUntil("the photos") { tiles(activity).size == some.size }
        assertFalse(activity.view(R.id.welcome).isShown)
    }

    @Test
    fun afterASecondRefusalTheButtonOpensTheSettings() {
        havePhotos(some, permitted = false)
        val controller = openGallery(loaded = false)
        val activity = controller.get()
        waitUntil("the welcome") { activity.view(R.id.welcome).isShown }
        galleryApp.library.refused = true // the system asks a second time
        shadowOf(activity.packageManager).setShouldShowRequestPermissionRationale(Manifest.permission.READ_MEDIA_IMAGES, true)
        controller.pause().stop().start().resume()
        assertEquals("Allow access", activity.text(R.id.allow))
        shadowOf(activity.packageManager).setShouldShowRequestPermissionRationale(Manifest.permission.READ_MEDIA_IMAGES, false)
        controller.pause().stop().start().resume()
        assertEquals("Open settings", activity.text(R.id.allow))
        activity.view(R.id.allow).performClick()
        val page = shadowOf(activity).nextStartedActivity
        assertEquals(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, page.action)
        assertEquals("package:org.fermobile.gallery", page.dataString)
    }

    @Test
    fun chosenPhotosNeedNoPermission() {
        havePhotos(some, permitted = false)
        val activity = openGallery(loaded = false).get()
        waitUntil("the welcome") { activity.view(R.id.welcome).isShown }
        activity.view(R.id.choose).performClick()
        assertEquals(MediaStore.ACTION_PICK_IMAGES, shadowOf(activity).nextStartedActivityForResult.intent.action)
        ViewModelProvider(activity)[GalleryViewModel::class.java].choose(listOf(uriOf(0), uriOf(1)))
        waitUntil("the photos") { tiles(activity).size == 2 && activity.view(R.id.filter_all).isEnabled }
        assertFalse(activity.view(R.id.welcome).isShown)
        filterAll(activity)
        assertEquals(listOf("happiness", "happiness"), tiles(activity).map { it.tile.label })
        assertEquals("they are still there at the next start", 2, tiles(openGallery().get()).size)
    }

    @Test
    fun chosenPhotosCanBeTakenOutAndBrokenOnesGo() {
        havePhotos(some, permitted = false)
        val controller = openGallery(loaded = false)
        val activity = controller.get()
        ViewModelProvider(activity)[GalleryViewModel::class.java].choose(listOf(uriOf(0), uriOf(1), uriOf(2)))
        waitUntil("the photos") { tiles(activity).size == 3 }
        MediaProvider.closed = setOf(some[1])
        controller.pause().stop().start().resume()
        waitUntil("the readable ones") { tiles(activity).size == 2 }
        MediaProvider.closed = emptySet()
        MediaProvider.failing = setOf(some[0])
        controller.pause().stop().start().resume()
        waitUntil("all of them, also while their provider fails") { some[0] in MediaProvider.opened && tiles(activity).size == 2 }
        MediaProvider.failing = emptySet()
        grid(activity).getChildAt(0).performClick()
        val photo = Robolectric.buildActivity(PhotoActivity::class.java, shadowOf(activity).nextStartedActivity).setup().get()
        val menu = photo.findViewById<MaterialToolbar>(R.id.toolbar).menu
        assertTrue(menu.findItem(R.id.remove_photo).isVisible)
        menu.performIdentifierAction(R.id.remove_photo, 0)
        assertTrue(photo.isFinishing)
        controller.pause().stop().start().resume()
        waitUntil("the rest") { state(activity).photos == listOf(uriOf(2).toString()) }
    }
}
