package org.fermobile.gallery

import android.graphics.Rect
import android.view.View
import android.widget.TextView
import androidx.lifecycle.ViewModelProvider
import androidx.recyclerview.widget.RecyclerView
import com.google.android.material.chip.Chip
import com.google.android.material.chip.ChipGroup
import org.fermobile.gallery.gallery.GalleryActivity
import org.fermobile.gallery.gallery.GalleryViewModel
import org.fermobile.gallery.gallery.ShownTile
import org.fermobile.gallery.gallery.TileAdapter
import org.fermobile.gallery.logic.Phase
import org.junit.Assert.assertTrue
import org.robolectric.Robolectric
import org.robolectric.android.controller.ActivityController
import java.io.File
import kotlin.math.abs

internal fun openGallery(loaded: Boolean = true): ActivityController<GalleryActivity> {
    val controller = Robolectric.buildActivity(GalleryActivity::class.java).setup()
    if (loaded) waitUntil("model and photos") { controller.get().view(R.id.filter_all).isEnabled }
    return controller
}

internal fun filterAll(activity: GalleryActivity) {
    activity.view(R.id.filter_all).performClick()
    waitUntil("the end of the run") { state(activity).phase == Phase.FILTERED }
    waitUntil("the grid") { tiles(activity).all { it.looked } && thumbnailsThere(*shownPlaces(activity)) }
}

internal fun toggle(activity: GalleryActivity, label: String) {
    chips(activity).first { it.tag == label }.performClick()
}

internal fun state(activity: GalleryActivity) =
    ViewModelProvider(activity)[GalleryViewModel::class.java].screen.value.gallery

internal fun grid(activity: GalleryActivity): RecyclerView = activity.findViewById(R.id.grid)

internal fun tiles(activity: GalleryActivity): List<ShownTile> = (grid(activity).adapter as TileAdapter).currentList

internal fun chips(activity: GalleryActivity): List<Chip> =
    activity.findViewById<ChipGroup>(R.id.bar).let { bar -> List(bar.childCount) { bar.getChildAt(it) as Chip } }

internal fun descriptionOf(activity: GalleryActivity, position: Int): String {
    waitUntil("tile $position") { grid(activity).findViewHolderForAdapterPosition(position) != null }
    return grid(activity).findViewHolderForAdapterPosition(position)!!.itemView.contentDescription.toString()
}

internal fun shownPlaces(activity: GalleryActivity): IntArray {
    val photos = state(activity).photos
    val shown = tiles(activity)
    return IntArray(minOf(grid(activity).childCount, shown.size)) { photos.indexOf(shown[it].tile.photo) }
}

/** Whether the thumbnails of these photos (all of them where none is named) are loaded. */
internal fun thumbnailsThere(vararg places: Int): Boolean {
    val photos = galleryApp.library.photos()
    val asked = if (places.isEmpty()) photos.indices.toList() else places.filter { it >= 0 }
    return asked.all { galleryApp.thumbnails.cached(photos[it]) != null || unreadable(MediaProvider.files[it]) }
}

private fun unreadable(file: File) = file in MediaProvider.closed || file.length() == 300L

internal fun assertAllReachable(activity: GalleryActivity) {
    val screen = place(activity.view(R.id.root))
    for (id in listOf(R.id.filter_all, R.id.back, R.id.toolbar, R.id.bar_scroll)) {
        val view = activity.view(id)
        val name = activity.resources.getResourceEntryName(id)
        assertTrue("$name ${place(view)} outside $screen", screen.contains(place(view)))
        assertTrue("$name has no room", view.width > 0 && view.height >= 32)
    }
    val filter = activity.findViewById<TextView>(R.id.filter_all)
    assertTrue("text is cut", filter.layout.height <= filter.height && abs(filter.layout.getEllipsisCount(0)) == 0)
    val status = activity.findViewById<TextView>(R.id.status)
    val lines = List(status.layout.lineCount) { status.text.substring(status.layout.getLineStart(it), status.layout.getLineEnd(it)) }
    assertTrue("status is cut: $lines", lines.size <= 2 && lines.dropLast(1).all { it.endsWith(" ") })
}

internal fun place(view: View) = Rect().also {
    val corner = IntArray(2).also(view::getLocationInWindow)
    it.set(corner[0], corner[1], corner[0] + view.width, corner[1] + view.height)
}

internal fun android.app.Activity.view(id: Int): View = findViewById(id)

internal fun android.app.Activity.text(id: Int): String = findViewById<TextView>(id).text.toString()
