pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositoriesMode = RepositoriesMode.FAIL_ON_PROJECT_REPOS
    repositories {
        google()
        mavenCentral()
    }
}

// The models, the detector and the photos of the benchmark lie there.
val checkout: File = rootDir.parentFile
if (!checkout.resolve("models").isDirectory || !checkout.resolve("fer_mobile/photos").isDirectory) {
    throw GradleException(
        "android_demo is built inside a checkout of fer-mobile: expected the folders models and fer_mobile in $checkout.",
    )
}

rootProject.name = "fer-mobile-gallery"
include(":core", ":fer", ":gallery", ":app")
