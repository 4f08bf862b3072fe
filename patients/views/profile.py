from django.http import HttpRequest, HttpResponse
def profile(request: HttpRequest, key: str = "") -> HttpResponse:
    return HttpResponse("soon")
